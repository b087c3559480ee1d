//! The metrics at one K, and their names.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Metrics of the first K places of each list; all from 0 to 1.
///
/// For a user, R is the set of relevant items, H the hits: the places π, from 1, of the list's
/// first K at which a relevant item stands. Unless said otherwise a metric is computed per user, is
/// 0 for a user without relevant items, and is averaged over the users.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtK {
    /// The K.
    pub k: usize,
    /// |H| / |R|, the share of the relevant items that are in the list (IR-Benchmark and BSL's
    /// code).
    pub recall: f64,
    /// |H| / K, also where a list is shorter than K (IR-Benchmark and BSL's code).
    pub precision: f64,
    /// Discounted cumulative gain over that of an ideal list: a hit at place π counts
    /// 1/log₂(1 + π), and the ideal list starts with min(K, |R|) hits (Järvelin and Kekäläinen
    /// 2002, with binary relevance; IR-Benchmark and BSL's code).
    pub ndcg: f64,
    /// 1/π of the first hit, 0 without hits (Voorhees 1999).
    pub mrr: f64,
    /// The share of users with a hit (He et al. 2017, NCF).
    pub hit_ratio: f64,
    /// Mean average precision: Σ over hits of the share of hits among the first π, over
    /// min(K, |R|).
    pub map: f64,
    /// The share of the catalogue's items that are in at least one of the averaged users' lists.
    pub coverage: f64,
    /// IR-Benchmark's own MRR: the mean over a user's hits of 1/π, 0 without hits. It can fall when
    /// a further hit is found.
    pub mrr_ir: f64,
    /// IR-Benchmark's own hit ratio: Σ|H| / Σ|R| over all users, each hit counting the same.
    pub hit_ratio_ir: f64,
}

/// A metric of [`AtK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// [`AtK::recall`]
    Recall,
    /// [`AtK::precision`]
    Precision,
    /// [`AtK::ndcg`]
    Ndcg,
    /// [`AtK::mrr`]
    Mrr,
    /// [`AtK::hit_ratio`]
    HitRatio,
    /// [`AtK::map`]
    Map,
    /// [`AtK::coverage`]
    Coverage,
    /// [`AtK::mrr_ir`]
    MrrIr,
    /// [`AtK::hit_ratio_ir`]
    HitRatioIr,
}

impl AtK {
    /// The value of `metric`.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Recall => self.recall,
            Metric::Precision => self.precision,
            Metric::Ndcg => self.ndcg,
            Metric::Mrr => self.mrr,
            Metric::HitRatio => self.hit_ratio,
            Metric::Map => self.map,
            Metric::Coverage => self.coverage,
            Metric::MrrIr => self.mrr_ir,
            Metric::HitRatioIr => self.hit_ratio_ir,
        }
    }
}

impl Metric {
    /// All, in the order of [`AtK`]'s fields.
    pub const ALL: [Metric; 9] = [
        Metric::Recall,
        Metric::Precision,
        Metric::Ndcg,
        Metric::Mrr,
        Metric::HitRatio,
        Metric::Map,
        Metric::Coverage,
        Metric::MrrIr,
        Metric::HitRatioIr,
    ];

    /// The name, which is that of the field of [`AtK`].
    pub fn name(self) -> &'static str {
        match self {
            Metric::Recall => "recall",
            Metric::Precision => "precision",
            Metric::Ndcg => "ndcg",
            Metric::Mrr => "mrr",
            Metric::HitRatio => "hit_ratio",
            Metric::Map => "map",
            Metric::Coverage => "coverage",
            Metric::MrrIr => "mrr_ir",
            Metric::HitRatioIr => "hit_ratio_ir",
        }
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let metric = Metric::ALL.into_iter().find(|metric| metric.name() == name);
        metric.ok_or_else(|| Error::Unknown {
            what: "metrics".into(),
            kind: "metric",
            name: name.into(),
            valid: Metric::ALL.map(Metric::name).join(", "),
        })
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_fields() {
        let values: [f64; 9] = std::array::from_fn(|at| at as f64 / 10.0);
        let fields = Metric::ALL.iter().zip(values);
        let mut json: serde_json::Map<_, _> = fields
            .map(|(metric, value)| (metric.to_string(), value.into()))
            .collect();
        json.insert("k".into(), 5.into());
        let at: AtK = serde_json::from_value(json.into()).unwrap();
        for (metric, value) in Metric::ALL.into_iter().zip(values) {
            assert_eq!(at.get(metric), value, "{metric}");
            assert_eq!(metric.name().parse::<Metric>().unwrap(), metric);
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        let error = "auc".parse::<Metric>().unwrap_err().to_string();
        assert!(error.contains("unknown metric `auc`"), "{error}");
    }
}
