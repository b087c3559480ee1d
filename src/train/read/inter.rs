//! Tab-separated columns under a header of names and types.

use super::{records::Separator, rows::Rows, text::Text};
use crate::Result;

const TYPES: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

/// Where the columns are.
struct Header {
    width: usize,
    user: usize,
    item: usize,
    rating: Option<usize>,
}

pub(super) fn read(text: &Text, rows: &mut Rows) -> Result<()> {
    let mut lines = text.lines();
    let Some((line, first)) = lines.next() else {
        return Ok(());
    };
    let header = Header::read(text, line, first)?;
    if rows.needs_ratings() && header.rating.is_none() {
        return Err(text.expected(line, "a column `rating:float`, for min_rating"));
    }
    for (line, content) in lines {
        let fields = Separator::Tab.fields(content);
        if fields.len() != header.width {
            let expected = format!("{} fields as in the header", header.width);
            return Err(text.expected(line, &expected));
        }
        let pair = (fields[header.user], fields[header.item]);
        rows.add_rated(text, line, pair, header.rating.map(|column| fields[column]))?;
    }
    Ok(())
}

impl Header {
    fn read(text: &Text, line: usize, content: &str) -> Result<Self> {
        let typed = |field| str::rsplit_once(field, ':').filter(|(_, of)| TYPES.contains(of));
        let columns = Separator::Tab.fields(content).into_iter().map(typed);
        let columns: Option<Vec<(&str, &str)>> = columns.collect();
        let Some(columns) = columns else {
            let types = TYPES.join(", ");
            let expected = format!(
                "a header of names with types, `user_id:token<TAB>item_id:token`, the types being \
                 {types}"
            );
            return Err(text.expected(line, &expected));
        };
        let named = |name: &str| columns.iter().position(|column| column.0 == name);
        let token = |but: Option<usize>| {
            let mut places = (0..columns.len()).filter(|&place| columns[place].1 == "token");
            places.find(|&place| Some(place) != but)
        };
        let item = named("item_id");
        let user = named("user_id").or_else(|| token(item));
        let item = item.or_else(|| token(user));
        let ids = user
            .zip(item)
            .filter(|&(user, item)| columns[user].1 == "token" && columns[item].1 == "token");
        let Some((user, item)) = ids else {
            let expected = "columns for user and item of the type token";
            return Err(text.expected(line, expected));
        };
        let rating = named("rating").filter(|&place| columns[place].1 == "float");
        Ok(Header {
            width: columns.len(),
            user,
            item,
            rating,
        })
    }
}
