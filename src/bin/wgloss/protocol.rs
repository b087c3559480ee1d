//! How models are measured: the same arguments for `train` and `evaluate`.

use clap::{Args, ValueEnum};
use wgloss::{
    Result,
    train::{Average, Metric, Part, Protocol},
};

/// Measured at, where nothing else is asked for.
const USUAL: [usize; 3] = [5, 20, 50];

/// Which metrics, at which K, over which users.
#[derive(Args)]
pub struct ProtocolArguments {
    /// The Ks of the metrics [default: 5,20,50 as far as there are so many items]
    #[arg(long, value_delimiter = ',')]
    k: Option<Vec<usize>>,
    /// Metrics to show: `all`, or some of `recall`, `precision`, `ndcg`, `mrr`, `hit_ratio`, `map`,
    /// `coverage`, `mrr_ir`, `hit_ratio_ir`
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "recall,precision,ndcg,mrr,hit_ratio,map,coverage"
    )]
    metrics: Vec<String>,
    /// Users to average over
    #[arg(long, value_enum, default_value_t = Users::UsersWithItems, value_name = "USERS")]
    average: Users,
    /// Leave the user's validation items out of rankings for the test data
    #[arg(long)]
    pub mask_validation: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Users {
    /// Those with items to find
    UsersWithItems,
    /// All; without items to find a user counts 0
    All,
}

impl ProtocolArguments {
    /// The Ks to measure at. What was given is taken as it is, to be checked with the data; a
    /// default must fit small catalogues too.
    pub fn ks(&self, items: usize) -> Vec<usize> {
        match &self.k {
            Some(given) => given.clone(),
            None if items < USUAL[0] => vec![items.max(1)],
            None => USUAL.into_iter().filter(|&k| k <= items).collect(),
        }
    }

    /// The metrics to show.
    pub fn metrics(&self) -> Result<Vec<Metric>> {
        if self.metrics == ["all"] {
            return Ok(Metric::ALL.into());
        }
        self.metrics.iter().map(|name| name.parse()).collect()
    }

    /// The protocol on a part of the data.
    pub fn protocol(&self, on: Part) -> Protocol {
        let average = match self.average {
            Users::UsersWithItems => Average::UsersWithItems,
            Users::All => Average::AllUsers,
        };
        Protocol {
            on,
            average,
            mask_validation: self.mask_validation,
        }
    }
}
