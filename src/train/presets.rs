//! Published settings of matrix factorisation: [`Preset`]. They are data: `presets.csv`, beside this
//! file.
//!
//! | paper | from |
//! |---|---|
//! | `psl` | Yang et al., PSL (NeurIPS 2024), table B.2: independent and identical splits |
//! | `psl-ood` | the same, table B.3: popularity shift. Published epochs were chosen on the test data |
//! | `sl-at-k` | Yang et al., SL@K (KDD 2025), tables 11 to 16; `@K` for another K than 20 |
//!
//! The PSL paper halves cosines; its temperatures of SL, BSL and AdvInfoNCE are doubled here, where
//! those losses take whole ones. What a preset does not say is what all have in common: 200 epochs,
//! batches of 1,024 interactions, width 64, Adam with β of 0.9 and 0.999, an adversary in every
//! fifth epoch's place at a rate of 5e-5. `guided_rec` is here the loss's first part alone, without
//! the surrogate network that the published figures have.
//!
//! LLPAUC trains on inner products in the PSL paper and on cosines in the SL@K paper.
//!
//! Not here, for they take what this trainer does not have: BSL's logs (an L2 penalty on a batch's
//! embeddings, dropout, negatives drawn from all items), AdvInfoNCE's own (a penalty of unknown
//! strength), other backbones.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::{collections::BTreeMap, str::FromStr};

use super::{InitKind, Negatives};
use crate::{Error, Result, loss::Score};

/// What a paper found best for a loss on a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// The loss.
    pub loss: String,
    /// `PAPER/DATASET`.
    #[serde(rename = "preset")]
    pub name: String,
    /// Parameters of the loss by name; others have their defaults.
    #[serde(deserialize_with = "parameters")]
    pub parameters: BTreeMap<String, String>,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Adam's weight decay.
    pub weight_decay: f64,
    /// What positives are compared with.
    #[serde(deserialize_with = "parsed", serialize_with = "text")]
    pub negatives: Negatives,
    /// Initial embeddings.
    #[serde(deserialize_with = "parsed", serialize_with = "text")]
    pub init: InitKind,
    /// Epochs from one renewal of users' K-th largest scores to the next, for a loss that reads
    /// them.
    pub quantile_every: Option<usize>,
    /// What to rank items by, where that is not the inner product.
    pub rank_by: Option<Score>,
}

/// All presets, loss by loss.
///
/// # Errors
/// None: a test reads the table.
pub fn all() -> Result<Vec<Preset>> {
    let table = include_str!("presets.csv");
    let rows = csv::Reader::from_reader(table.as_bytes()).into_deserialize();
    rows.collect::<Result<_, csv::Error>>()
        .map_err(|error| Error::Parse {
            path: "presets.csv".into(),
            line: error.position().map_or(0, |place| place.line() as usize),
            message: error.to_string(),
        })
}

/// The preset of a name for a loss.
///
/// # Errors
/// [`Error::Unknown`] with the presets that the loss has.
pub fn find(loss: &str, name: &str) -> Result<Preset> {
    let mut of_loss = all()?;
    of_loss.retain(|preset| preset.loss == loss);
    let valid: Vec<&str> = of_loss.iter().map(|preset| preset.name.as_str()).collect();
    let error = Error::Unknown {
        what: format!("loss {loss}"),
        kind: "preset",
        name: name.into(),
        valid: match valid.is_empty() {
            true => "none, this loss has no presets".into(),
            false => valid.join(", "),
        },
    };
    let found = of_loss.into_iter().find(|preset| preset.name == name);
    found.ok_or(error)
}

/// `name=value name=value …`
fn parameters<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let text = String::deserialize(from)?;
    let one = |part: &str| {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| D::Error::custom(format!("`{part}` is not name=value")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    text.split_whitespace().map(one).collect()
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = Error>>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(D::Error::custom)
}

fn text<S: serde::Serializer>(
    value: &impl std::fmt::Display,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    to.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_can_be_read_and_names_are_used_once() {
        let all = all().unwrap();
        assert!(all.len() > 80, "{}", all.len());
        let names: BTreeSet<_> = all.iter().map(|of| (&of.loss, &of.name)).collect();
        assert_eq!(names.len(), all.len());
        for preset in &all {
            preset.init.validate().unwrap();
            preset.negatives.validate().unwrap();
            assert!(preset.learning_rate > 0.0 && preset.weight_decay >= 0.0);
        }
    }

    /// SL with τ is PSL-exp with τ/2 on halved cosines: the papers' tables agree on that.
    #[test]
    fn temperatures_are_in_the_units_of_the_loss() {
        let tau = |loss, name| -> f64 {
            let preset = find(loss, name).unwrap();
            preset.parameters["tau"].parse().unwrap()
        };
        assert_eq!(tau("sl", "psl/electronic"), 0.2);
        assert_eq!(tau("sl", "psl/electronic"), tau("sl", "sl-at-k/electronic"));
        assert_eq!(tau("psl", "psl/electronic"), 0.1);
        assert_eq!(tau("psl", "psl/gowalla"), tau("psl", "sl-at-k/gowalla"));
        assert_eq!(tau("adv_info_nce", "psl/gowalla"), 0.1);
    }

    /// What trains on cosines instead of inner products is ranked by them.
    #[test]
    fn papers_differ_in_the_score_of_llpauc() {
        let [psl, sl_at_k] =
            ["psl/gowalla", "sl-at-k/gowalla"].map(|name| find("llpauc", name).unwrap());
        assert_eq!((psl.rank_by, psl.parameters.get("score")), (None, None));
        assert_eq!(sl_at_k.rank_by, Some(Score::Cosine));
        assert_eq!(sl_at_k.parameters["score"], "cosine");
    }

    #[test]
    fn unknown_presets_are_told_with_those_of_the_loss() {
        let error = find("bpr", "sl-at-k/helth").unwrap_err().to_string();
        for part in [
            "loss bpr",
            "preset `sl-at-k/helth`",
            "sl-at-k/health",
            "psl-ood/cd",
        ] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("@5"), "{error}");
        let error = find("uss", "psl/book").unwrap_err().to_string();
        assert!(error.contains("no presets"), "{error}");
    }
}
