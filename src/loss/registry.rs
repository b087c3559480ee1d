//! Every loss that comes with the crate, by name.

use super::{
    About, Described, DynLoss,
    ada_face::AdaFace,
    adv_info_nce::AdvInfoNce,
    arc_face::ArcFace,
    bce::Bce,
    bpr::Bpr,
    bsl::Bsl,
    ccl::Ccl,
    circle::Circle,
    combined_margin::CombinedMargin,
    cos_face::CosFace,
    curricular_face::CurricularFace,
    exp_face::ExpFace,
    gbce::Gbce,
    guided_rec::GuidedRec,
    lambda_loss::LambdaLoss,
    lambda_loss_at_k::LambdaLossAtK,
    lambda_rank::LambdaRank,
    llpauc::Llpauc,
    mag_face::MagFace,
    mse::Mse,
    norm_face::NormFace,
    pair_sums::{MultiSimilarity, ProxyAnchor},
    psl::Psl,
    s_dpo::SDpo,
    s2s::{S2sBce, S2sNaive},
    scaled_info_nce::ScaledInfoNce,
    sl::{InfoNce, Sl},
    sl_at_k::SlAtK,
    sog_clr::SogClr,
    sog_sl_at_k::SogSlAtK,
    sphere_face::SphereFace,
    sphere_face_r::SphereFaceR,
    sphere_face2::SphereFace2,
    sup_con::{NtXent, SupCon},
    uce::Uce,
    uss::Uss,
};
use serde::{Deserialize, Serialize};

macro_rules! losses {
    ($($variant:ident($name:literal),)*) => {
        /// A loss of the crate; in JSON `{"loss": NAME, ...parameters}`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "loss")]
        pub enum AnyLoss {
            $(
                #[doc = concat!("`", $name, "`")]
                #[serde(rename = $name)]
                $variant($variant),
            )*
        }

        impl AnyLoss {
            /// The loss as the engines take it.
            #[must_use]
            pub fn as_dyn(&self) -> &dyn DynLoss {
                match self { $(AnyLoss::$variant(loss) => loss,)* }
            }
        }

        /// The names, in the order of the README's table.
        pub const NAMES: &[&str] = &[$($name),*];

        /// The description of the loss of this name.
        #[must_use]
        pub fn about(name: &str) -> Option<&'static About> {
            match name {
                $($name => Some(&<$variant as Described>::ABOUT),)*
                _ => None,
            }
        }

        /// Every loss in the configurations that run every branch of it.
        #[must_use]
        pub fn variants() -> Vec<AnyLoss> {
            let mut all = Vec::new();
            $(all.extend($variant::variants().into_iter().map(AnyLoss::$variant));)*
            all
        }

        /// Every loss with its default parameters.
        #[must_use]
        pub fn all() -> Vec<AnyLoss> {
            vec![$(AnyLoss::$variant($variant::default())),*]
        }
    };
}

losses! {
    Sl("sl"),
    InfoNce("info_nce"),
    Psl("psl"),
    Bsl("bsl"),
    AdvInfoNce("adv_info_nce"),
    SlAtK("sl_at_k"),
    SogClr("sog_clr"),
    SogSlAtK("sog_sl_at_k"),
    Bpr("bpr"),
    LambdaRank("lambda_rank"),
    LambdaLoss("lambda_loss"),
    LambdaLossAtK("lambda_loss_at_k"),
    Bce("bce"),
    Gbce("gbce"),
    GuidedRec("guided_rec"),
    Mse("mse"),
    Ccl("ccl"),
    Llpauc("llpauc"),
    SDpo("s_dpo"),
    Uss("uss"),
    S2sNaive("s2s_naive"),
    S2sBce("s2s_bce"),
    Uce("uce"),
    SphereFace2("sphere_face2"),
    Circle("circle"),
    NormFace("norm_face"),
    CosFace("cos_face"),
    ArcFace("arc_face"),
    CombinedMargin("combined_margin"),
    SphereFace("sphere_face"),
    SphereFaceR("sphere_face_r"),
    ExpFace("exp_face"),
    AdaFace("ada_face"),
    MagFace("mag_face"),
    CurricularFace("curricular_face"),
    SupCon("sup_con"),
    NtXent("nt_xent"),
    MultiSimilarity("multi_similarity"),
    ProxyAnchor("proxy_anchor"),
    ScaledInfoNce("scaled_info_nce"),
}
