//! What there is to say about a loss: for `wgloss losses`, for error messages that list what is
//! valid, for the tests that go through every loss and its variants.

/// A loss in words.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What it is called in full.
    pub title: &'static str,
    /// Its formula, in nats.
    pub formula: &'static str,
    /// Its parameters, every one that its JSON form takes.
    pub parameters: &'static [Parameter],
    /// Where it was published.
    pub source: &'static str,
}

/// A parameter in words. Its default is that of the loss's `Default`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in JSON.
    pub name: &'static str,
    /// What values it takes.
    pub domain: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

impl Parameter {
    /// What embeddings are compared by.
    pub const SCORE: Parameter = Parameter {
        name: "score",
        domain: "dot, cosine",
        meaning: "what embeddings are compared by",
    };
    /// The factor on scores.
    pub const SCORE_SCALE: Parameter = Parameter {
        name: "score_scale",
        domain: "> 0",
        meaning: "factor on scores",
    };
    /// The temperature τ.
    pub const TAU: Parameter = Parameter {
        name: "tau",
        domain: "> 0",
        meaning: "temperature, in units of the score",
    };
    /// The temperature `τ_w` of a weight.
    pub const TAU_W: Parameter = Parameter {
        name: "tau_w",
        domain: "> 0",
        meaning: "temperature of the weight, in units of the score",
    };
    /// γ, the weight of a new estimate.
    pub const GAMMA: Parameter = Parameter {
        name: "gamma",
        domain: "> 0, ≤ 1",
        meaning: "γ, weight of a batch's estimate in the moving average",
    };
    /// The length K of a list.
    pub const K: Parameter = Parameter {
        name: "k",
        domain: "≥ 1",
        meaning: "K, length of the list that matters",
    };
    /// w, the weight of the negatives.
    pub const NEG_WEIGHT: Parameter = Parameter {
        name: "neg_weight",
        domain: "> 0",
        meaning: "w, weight of the negatives",
    };
    /// Mean in place of sum.
    pub const COLUMN_MEAN: Parameter = Parameter {
        name: "column_mean",
        domain: "true, false",
        meaning: "whether a row's columns are averaged, not summed",
    };
    /// The clip of official exponents.
    pub const CLAMP: Parameter = Parameter {
        name: "clamp",
        domain: "true, false",
        meaning: "whether exponents are clipped to ±scale",
    };
    /// The scale s (or γ) of angular losses.
    pub const SCALE: Parameter = Parameter {
        name: "scale",
        domain: "> 0",
        meaning: "factor on cosines, one over a temperature",
    };
    /// What happens beyond m₁θ + m₂ = π.
    pub const VARIANT: Parameter = Parameter {
        name: "variant",
        domain: "plain, hard_threshold, easy, clamped",
        meaning: "what the target is where the margin reaches beyond π",
    };
    /// The gradient mode.
    pub const GRADIENT: Parameter = Parameter {
        name: "gradient",
        domain: "exact, detached",
        meaning: "derivative of the loss, or the margin taken for a constant",
    };
    /// The inter-class filter.
    pub const FILTER: Parameter = Parameter {
        name: "filter",
        domain: "-1 to 1, or null",
        meaning: "cosine beyond which another class counts as one at 0",
    };
    /// What cosines are multiplied by.
    pub const FEATURE_SCALE: Parameter = Parameter {
        name: "feature_scale",
        domain: "constant, norm",
        meaning: "whether cosines are multiplied by the feature's norm too",
    };
}

/// A loss that describes itself. Its file implements it, beside [`super::Loss`].
pub trait Described: Default {
    /// The description.
    const ABOUT: About;

    /// Configurations that between them run every branch of the scalar functions: what tests and
    /// `wgloss check` evaluate.
    #[must_use]
    fn variants() -> Vec<Self> {
        vec![Self::default()]
    }
}
