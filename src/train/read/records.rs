//! Delimited text as records of fields.

use csv::{ByteRecord, ReaderBuilder};

use super::text::Text;
use crate::Result;

/// What stands between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Tab,
    Comma,
    Semicolon,
    Colons,
    Blanks,
}

impl Separator {
    /// The separator of a line of delimited text.
    pub(super) fn of(line: &str) -> Self {
        if line.contains('\t') {
            return Separator::Tab;
        }
        // The first one: decimal commas stand behind semicolons, semicolons in text behind commas.
        match line.find([',', ';']).map(|place| line.as_bytes()[place]) {
            Some(b',') => Separator::Comma,
            Some(_) => Separator::Semicolon,
            None if line.contains("::") => Separator::Colons,
            None => Separator::Blanks,
        }
    }

    /// The separator of a line that has tabs or else blanks.
    pub(super) fn of_tabular(line: &str) -> Self {
        match line.contains('\t') {
            true => Separator::Tab,
            false => Separator::Blanks,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Separator::Tab => "a tab",
            Separator::Comma => "a comma",
            Separator::Semicolon => "a semicolon",
            Separator::Colons => "`::`",
            Separator::Blanks => "blanks",
        }
    }

    /// The fields of a line; quotes are characters like any other.
    pub(super) fn fields(self, line: &str) -> Vec<&str> {
        let between = match self {
            Separator::Blanks => return line.split_ascii_whitespace().collect(),
            Separator::Tab => "\t",
            Separator::Comma => ",",
            Separator::Semicolon => ";",
            Separator::Colons => "::",
        };
        line.split(between).map(trimmed).collect()
    }

    /// Calls `take` with the first line's number and the fields of each record.
    pub(super) fn records(
        self,
        text: &Text,
        mut take: impl FnMut(usize, &[&str]) -> Result<()>,
    ) -> Result<()> {
        match self {
            Separator::Comma => quoted(text, b',', take),
            Separator::Semicolon => quoted(text, b';', take),
            _ => (text.lines()).try_for_each(|(line, content)| take(line, &self.fields(content))),
        }
    }
}

/// Records with fields that may be quoted, and then hold separators and line ends.
fn quoted(
    text: &Text,
    separator: u8,
    mut take: impl FnMut(usize, &[&str]) -> Result<()>,
) -> Result<()> {
    let content = text.content();
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(content.as_bytes());
    let (mut record, mut line, mut at) = (ByteRecord::new(), 1, 0);
    loop {
        let more = reader.read_byte_record(&mut record);
        let end = reader.position().byte() as usize;
        // The reader skips blank lines along with the record that follows them.
        let start = content.len() - content[at..].trim_start_matches(['\r', '\n']).len();
        line += line_ends(&content[at..start]);
        let utf8 = |_| text.expected(line, "delimited text");
        if !more.map_err(|_| text.expected(line, "delimited text"))? {
            return Ok(());
        }
        let raw = &content[start..end];
        let unclosed = raw.bytes().filter(|&byte| byte == b'"').count() % 2 == 1;
        if unclosed && raw.trim_end().contains('\n') {
            return Err(text.expected(line, "a quote to be closed"));
        }
        let fields = record
            .iter()
            .map(|field| std::str::from_utf8(field).map(trimmed));
        let fields: Vec<&str> = fields.collect::<Result<_, _>>().map_err(utf8)?;
        if fields.iter().any(|field| !field.is_empty()) || fields.len() > 1 {
            take(line, &fields)?;
        }
        line += line_ends(raw);
        at = end;
    }
}

fn line_ends(text: &str) -> usize {
    text.bytes().filter(|&byte| byte == b'\n').count()
}

fn trimmed(field: &str) -> &str {
    field.trim_matches([' ', '\t'])
}

/// Whether the first line of delimited text is a header that says what its columns are.
pub(super) fn is_named_header(first: &[&str], second: &[&str]) -> bool {
    names(first) && !names(second)
}

/// Whether the first line of delimited text has words where the second has numbers.
pub(super) fn is_wordy_header(first: &[&str], second: &[&str]) -> bool {
    let [user, item, more @ ..] = second else {
        return false;
    };
    let numbers = (is_number(user) && is_number(item)) || more.iter().any(|field| is_number(field));
    numbers && !first.iter().any(|field| is_number(field))
}

/// Whether the first two fields could be names of a user and an item column.
fn names(fields: &[&str]) -> bool {
    let [user, item, ..] = fields else {
        return false;
    };
    let says = |field: &str| {
        let field = field.to_ascii_lowercase();
        field.contains("user") || field.contains("item")
    };
    let digit = |field: &str| field.contains(|c: char| c.is_ascii_digit());
    (says(user) || says(item)) && !digit(user) && !digit(item)
}

fn is_number(field: &str) -> bool {
    let field = field.trim_matches('"');
    field.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && field.replace(',', ".").parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_tells_the_separator() {
        for (line, separator) in [
            ("a b\tc,d", Separator::Tab),
            ("1,2,x;y", Separator::Comma),
            ("1;2;3,5", Separator::Semicolon),
            ("1::2::3", Separator::Colons),
            ("1:a  2 3", Separator::Blanks),
        ] {
            assert_eq!(Separator::of(line), separator, "{line}");
        }
    }

    #[test]
    fn headers_are_told_from_data() {
        for (first, second, header) in [
            ("user,item", "3,4", true),
            ("userId,movieId,rating", "1,2,3.5", true),
            ("\"a\",\"b\"", "\"3\",\"4\"", true),
            ("reviewer,asin,overall", "A2,B5,5.0", true),
            ("user_id,asin", "alice,pear", true),
            ("uid,asin", "alice,pear", false),
            ("user_a,item_b", "user_c,item_d", false),
            ("user1,item2", "user3,item4", false),
            ("alice,pear", "bob,apple", false),
            ("0,x", "0,1", false),
            ("alice,pear", "17,apple", false),
            ("user,item,1", "3,4,5", true),
            ("user,item", "", true),
            ("alice,pear", "", false),
        ] {
            let [a, b] = [first, second].map(|line| Separator::Comma.fields(line));
            let told = is_named_header(&a, &b) || is_wordy_header(&a, &b);
            assert_eq!(told, header, "{first:?}");
        }
    }
}
