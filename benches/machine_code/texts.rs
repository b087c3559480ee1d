//! The texts to compile: the stages with a tile and the products, of losses at three widths.

use wgloss::{
    DynLoss, Shape,
    gpu::{
        Family, PlanOptions, Stage, Storage, TableLayouts, Tile, estimate, shader_texts,
        sizes::Limits,
    },
    loss::{Activation, AdvInfoNce, ArcFace, Psl, Sl},
};

const DIMS: [usize; 3] = [64, 128, 512];

/// A text, and what it serves.
pub struct Kernel {
    pub tile: Tile,
    pub storage: Storage,
    pub stage: Stage,
    /// Losses, each with a D.
    pub of: Vec<(&'static str, usize)>,
    pub text: String,
}

impl Kernel {
    /// What it serves: losses by name and all their D, which are the same ones.
    pub fn serves(&self) -> String {
        let list = |mut all: Vec<String>| {
            all.dedup();
            all.join(", ")
        };
        let (losses, mut dims): (Vec<&str>, Vec<usize>) = self.of.iter().copied().unzip();
        dims.sort_unstable();
        format!(
            "{} at D = {}",
            list(losses.into_iter().map(String::from).collect()),
            list(dims.iter().map(usize::to_string).collect())
        )
    }
}

/// Every different text once.
pub fn kernels() -> Result<Vec<Kernel>, String> {
    let (sl, psl, arc) = (
        Sl::new(0.1),
        Psl::new(Activation::Relu, 0.1),
        ArcFace::default(),
    );
    // The one whose scores are stored for others to read.
    let adv = AdvInfoNce::default();
    let losses: [(&'static str, &dyn DynLoss); 4] = [
        ("SL", &sl),
        ("PSL-relu", &psl),
        ("ArcFace", &arc),
        ("AdvInfoNCE", &adv),
    ];
    let mut kernels = Vec::new();
    for storage in [Storage::F32, Storage::F16] {
        for tile in Tile::ALL {
            let first = kernels.len();
            for (name, loss) in losses {
                for dim in DIMS {
                    add((tile, storage), (name, loss), dim, &mut kernels)?;
                }
            }
            kernels[first..].sort_by_key(|kernel| kernel.stage);
        }
    }
    Ok(kernels)
}

fn add(
    (tile, storage): (Tile, Storage),
    (name, loss): (&'static str, &dyn DynLoss),
    dim: usize,
    kernels: &mut Vec<Kernel>,
) -> Result<(), String> {
    let family = Family::Block {
        tile,
        lanes: 32,
        subgroups: true,
    };
    let shape = Shape {
        second_dim: loss.spec().second.map(|_| dim),
        ..Shape::new(1024, 100_000, dim)
    };
    let limits = Limits {
        max_binding: 1 << 30,
        max_buffer: 1 << 30,
        max_groups: 65_535,
        wide_loads: false,
    };
    let options = PlanOptions {
        storage,
        ..PlanOptions::default()
    };
    let layouts = TableLayouts::dense(&shape);
    let texts = estimate(loss, &shape, &layouts, &options, family, &limits)
        .and_then(|plan| shader_texts(loss, &plan, family))
        .map_err(|error| error.to_string())?;
    for (stage, text) in texts {
        if stage.block_source().is_none() && stage != Stage::TileScores {
            continue;
        }
        let mut known = kernels.iter_mut();
        match known.find(|known| known.tile == tile && known.text == text) {
            Some(known) => known.of.push((name, dim)),
            None => kernels.push(Kernel {
                tile,
                storage,
                stage,
                of: vec![(name, dim)],
                text,
            }),
        }
    }
    Ok(())
}
