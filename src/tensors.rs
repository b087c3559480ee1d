//! What readers of safetensors files share.

use safetensors::{SafeTensors, tensor::TensorView};

/// The tensor `name`, or what there is instead.
pub(crate) fn tensor<'a>(file: &SafeTensors<'a>, name: &str) -> Result<TensorView<'a>, String> {
    file.tensor(name).map_err(|_| {
        let mut names = file.names();
        names.sort_unstable();
        format!("no tensor `{name}`, there is: {}", names.join(", "))
    })
}

/// Numbers of N bytes each.
pub(crate) fn little_endian<const N: usize, T>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|x| read(*x)).collect()
}
