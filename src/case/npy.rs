//! NumPy's array file: a header that is a Python dictionary, then the numbers.
//!
//! Read here and not by a crate: a few lines do for matrices of floats, and every size that a
//! damaged header may claim is checked against the file before it is believed.

use super::table::{Numbers, Table};
use half::f16;

/// Reads a matrix of f2, f4 or f8, either byte order, C or Fortran order.
pub(super) fn read(bytes: &[u8]) -> Result<Table, String> {
    let (header, data) = split(bytes).ok_or("not an npy file, or cut short")?;
    let kind = text_of(header, "descr").ok_or("no type in the header")?;
    let fortran = match value_of(header, "fortran_order") {
        Some(value) if value.starts_with("True") => true,
        Some(value) if value.starts_with("False") => false,
        _ => return Err("no fortran_order in the header".into()),
    };
    let [rows, dim] = shape_of(header)?;
    let count = rows.checked_mul(dim).ok_or("shape too large")?;
    let numbers = match kind {
        "<f2" => Numbers::F16(decode(data, count, f16::from_le_bytes)?),
        ">f2" => Numbers::F16(decode(data, count, f16::from_be_bytes)?),
        "<f4" => Numbers::F32(decode(data, count, f32::from_le_bytes)?),
        ">f4" => Numbers::F32(decode(data, count, f32::from_be_bytes)?),
        "<f8" => Numbers::from_f64(decode(data, count, f64::from_le_bytes)?),
        ">f8" => Numbers::from_f64(decode(data, count, f64::from_be_bytes)?),
        other => return Err(format!("expected f2, f4 or f8 numbers, got `{other}`")),
    };
    let numbers = match numbers {
        Numbers::F16(data) if fortran => Numbers::F16(transpose(&data, rows, dim)),
        Numbers::F32(data) if fortran => Numbers::F32(transpose(&data, rows, dim)),
        Numbers::F64(data) if fortran => Numbers::F64(transpose(&data, rows, dim)),
        numbers => numbers,
    };
    Ok(Table { numbers, rows, dim })
}

/// Header text and data.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    // From version 2 on the header's length takes four bytes.
    let (length, rest) = if version[0] == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// The text behind `'key':`.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let found = quoted
        .iter()
        .find_map(|quoted| Some(header.split_once(quoted.as_str())?.1))?;
    Some(found.trim_start().strip_prefix(':')?.trim_start())
}

fn text_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let value = value_of(header, key)?;
    let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    Some(value[1..].split_once(quote)?.0)
}

fn shape_of(header: &str) -> Result<[usize; 2], String> {
    let value = value_of(header, "shape").ok_or("no shape in the header")?;
    let (sizes, _) = value
        .strip_prefix('(')
        .and_then(|value| value.split_once(')'))
        .ok_or("no shape in the header")?;
    let parsed: Result<Vec<usize>, _> = sizes
        .split(',')
        .map(str::trim)
        .filter(|size| !size.is_empty())
        .map(str::parse)
        .collect();
    match parsed.as_deref() {
        Ok(&[rows, dim]) => Ok([rows, dim]),
        _ => Err(format!("expected a matrix, got shape ({sizes})")),
    }
}

fn decode<const N: usize, T>(
    data: &[u8],
    count: usize,
    read: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    if count.checked_mul(N) != Some(data.len()) {
        return Err(format!(
            "expected {count} numbers of {N} bytes, got {} bytes",
            data.len()
        ));
    }
    Ok(data.as_chunks::<N>().0.iter().map(|x| read(*x)).collect())
}

fn transpose<T: Copy>(data: &[T], rows: usize, dim: usize) -> Vec<T> {
    (0..rows)
        .flat_map(|row| (0..dim).map(move |k| data[k * rows + row]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn header(kind: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
    }

    #[test]
    fn reads_orders_widths_and_versions() {
        let numbers: Vec<f32> = (0u8..6).map(f32::from).collect();
        let little: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let table = read(&file(1, &header("<f4", "False", "(2, 3)"), &little)).unwrap();
        assert_eq!((table.rows, table.dim), (2, 3));
        assert_eq!(table.numbers, Numbers::F32(numbers.clone()));

        let table = read(&file(2, &header("<f4", "True", "(2, 3)"), &little)).unwrap();
        assert_eq!(table.to_f64(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);

        let big: Vec<u8> = numbers
            .iter()
            .flat_map(|x| f64::from(*x).to_be_bytes())
            .collect();
        let table = read(&file(3, &header(">f8", "False", "(3, 2)"), &big)).unwrap();
        assert_eq!(table.numbers, Numbers::F32(numbers));

        let half: Vec<u8> = [1.5f32, -2.0]
            .iter()
            .flat_map(|x| f16::from_f32(*x).to_le_bytes())
            .collect();
        let table = read(&file(1, &header("<f2", "False", "(1, 2)"), &half)).unwrap();
        assert_eq!(table.to_f64(), [1.5, -2.0]);
    }

    #[test]
    fn damaged_files_are_errors() {
        let whole = file(1, &header("<f4", "False", "(1, 2)"), &[0; 8]);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let max = u64::MAX;
        for (kind, shape) in [
            ("<f4", format!("({max}, {max})")),
            ("<f4", format!("({max}, 1)")),
            ("<f4", "(2,)".into()),
            ("<f4", "(-1, -2)".into()),
            ("<f4", "(1, 2, 1)".into()),
            ("<i4", "(1, 2)".into()),
            ("|O", "(1, 2)".into()),
        ] {
            let bytes = file(1, &header(kind, "False", &shape), &[0; 8]);
            assert!(read(&bytes).is_err(), "{kind} {shape}");
        }
        assert!(read(&file(1, "no dictionary", &[])).is_err());
    }
}
