//! What training takes where nothing else is said.
//!
//! Chosen by NDCG@20 after 40 to 60 epochs of 128-user batches on Amazon 2014 Health and MovieLens
//! 100K: of the choices tried, ones that are near the best on both. The parameters of the
//! registry are those of the papers instead, for whatever field they come from.

use super::{AdamOptions, InitKind, Optimiser, SgdOptions};
use crate::{
    AnyLoss, DynLoss,
    loss::{Bsl, BslForm, SDpoReference, Score, registry},
};

/// A temperature for cosines, which are at most 1.
const TAU: f64 = 0.2;
/// A temperature for inner products, which embeddings can make as large as they need.
const TAU_OF_DOTS: f64 = 1.0;

/// The loss of a name with parameters for recommendation; `score` is what it is to compare
/// embeddings by, where that is not its own choice. None for an unknown name.
pub fn loss(name: &str, score: Option<Score>) -> Option<AnyLoss> {
    let known = registry::all().into_iter();
    let mut loss = known
        .into_iter()
        .find(|loss| loss.as_dyn().spec().name == name)?;
    let tau = match score {
        Some(Score::Dot) => TAU_OF_DOTS,
        _ => TAU,
    };
    match &mut loss {
        AnyLoss::Sl(sl) => sl.tau = tau,
        AnyLoss::InfoNce(info_nce) => info_nce.tau = tau,
        // Its cosines are halved, which its own temperature takes into account.
        AnyLoss::Psl(psl) if score == Some(Score::Dot) => psl.tau = TAU_OF_DOTS / 2.0,
        AnyLoss::Bsl(Bsl {
            form: BslForm::IrBenchmark { tau1, tau2 },
            ..
        }) => (*tau1, *tau2) = (tau, tau),
        AnyLoss::AdvInfoNce(adversarial) => adversarial.tau = tau,
        AnyLoss::SlAtK(at_k) => at_k.tau = tau,
        AnyLoss::SogClr(sog_clr) => sog_clr.tau = tau,
        AnyLoss::SogSlAtK(at_k) => at_k.tau = tau,
        // A scale of 64 tells faces apart, whose classes have no noise.
        AnyLoss::ArcFace(arc_face) => (arc_face.scale, arc_face.margin) = (1.0 / tau, 0.2),
        AnyLoss::NormFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::CosFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::CombinedMargin(loss) => loss.scale = 1.0 / tau,
        AnyLoss::SphereFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::SphereFaceR(loss) => loss.scale = 1.0 / tau,
        AnyLoss::ExpFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::AdaFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::MagFace(loss) => loss.scale = 1.0 / tau,
        AnyLoss::CurricularFace(loss) => loss.scale = 1.0 / tau,
        // Embeddings have no given scores of a reference.
        AnyLoss::SDpo(s_dpo) => s_dpo.reference = SDpoReference::Tables,
        _ => {}
    }
    Some(loss)
}

/// Adam for a loss. Inner products grow with the embeddings, so their steps are small, and a
/// penalty keeps them from growing on without end.
pub fn adam(loss: &dyn DynLoss) -> Optimiser {
    Optimiser::Adam(match loss.spec().score {
        Score::Dot => AdamOptions {
            learning_rate: 0.01,
            weight_decay: 1e-4,
            ..AdamOptions::default()
        },
        _ => AdamOptions::default(),
    })
}

/// Gradient descent for a loss. The gradient of a mean over a batch is small, and that of a cosine
/// falls with the norm.
pub fn sgd(loss: &dyn DynLoss, momentum: f64) -> Optimiser {
    let learning_rate = match loss.spec().score {
        Score::Dot => 10.0,
        _ => 100.0,
    };
    Optimiser::Sgd(SgdOptions {
        // Momentum repeats steps; one out of its domain is refused by its own name.
        learning_rate: learning_rate * (1.0 - momentum).max(0.0),
        momentum,
        ..SgdOptions::default()
    })
}

/// Initial embeddings for a loss under an optimiser: those of the published protocol where the
/// scale of embeddings matters to neither, since cosines have none and Adam's steps have one of
/// their own.
pub fn init(loss: &dyn DynLoss, optimiser: &Optimiser) -> InitKind {
    match (loss.spec().score, optimiser) {
        (Score::Dot, _) | (_, Optimiser::Sgd(_)) => InitKind::Normal { deviation: 0.1 },
        _ => InitKind::default(),
    }
}
