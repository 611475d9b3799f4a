use crate::error::quoted;

/// Reads `key=value other="with space" lone`: pairs between spaces, a key alone having an empty value.
///
/// The error is a sentence with the 1-based position in characters.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let position = |rest: &str| text[..text.len() - rest.len()].chars().count() + 1;
    let unexpected = |rest: &str| match rest.chars().next() {
        Some(character) => format!("unexpected {character:?} at position {}", position(rest)),
        None => "unexpected end".to_owned(),
    };

    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after_key) = rest.split_at(rest.find(ends_word).unwrap_or(rest.len()));
        if key.is_empty() {
            return Err(unexpected(rest));
        }
        let (value, after_value) = match after_key.strip_prefix('=') {
            None => (String::new(), after_key),
            Some(value) if value.starts_with('"') => {
                quoted_value(value).ok_or_else(|| format!("bad quoted value at position {}", position(value)))?
            }
            Some(value) => {
                let (value, after) = value.split_at(value.find(ends_word).unwrap_or(value.len()));
                (value.to_owned(), after)
            }
        };
        if !after_value.is_empty() && !after_value.starts_with(char::is_whitespace) {
            return Err(unexpected(after_value));
        }
        if pairs.iter().any(|(known, _)| known == key) {
            return Err(format!("the key {} is there twice", quoted(key)));
        }
        pairs.push((key.to_owned(), value));
        rest = after_value.trim_start();
    }
    Ok(pairs)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || c == '=' || c == '"'
}

/// The value of a JSON string at the start of the text, and what follows it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = values.next()?.ok()?;
    Some((value, &text[values.byte_offset()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(&str, &str)], &str>) {
        let found = parse(text);
        let found = found.as_ref().map(|pairs| pairs.iter().map(|(k, v)| (&**k, &**v)).collect::<Vec<_>>());
        assert_eq!(found.as_deref().map_err(|error| error.as_str()), expected, "{text}");
    }

    #[test]
    fn pairs_are_read() {
        check("", Ok(&[]));
        check("  \n ", Ok(&[]));
        check("a=b", Ok(&[("a", "b")]));
        check(" a=b  c.d/e-f=x_é! ", Ok(&[("a", "b"), ("c.d/e-f", "x_é!")]));
        check("lone empty= quoted=\"\"", Ok(&[("lone", ""), ("empty", ""), ("quoted", "")]));
        check(r#"a="b c" d="e\"=\\\u00e9""#, Ok(&[("a", "b c"), ("d", "e\"=\\é")]));
    }

    #[test]
    fn what_is_no_logfmt_is_refused_with_its_place() {
        check("=b", Err("unexpected '=' at position 1"));
        check("é =b", Err("unexpected '=' at position 3"));
        check("\"a\"=b", Err("unexpected '\"' at position 1"));
        check("a\"=b", Err("unexpected '\"' at position 2"));
        check("a=b=c", Err("unexpected '=' at position 4"));
        check("a=b\"c\"", Err("unexpected '\"' at position 4"));
        check("a=\"b\"c", Err("unexpected 'c' at position 6"));
        check("a=\"b", Err("bad quoted value at position 3"));
        check("a=\"\\x\"", Err("bad quoted value at position 3"));
        check("a=1 b=2 a=3", Err("the key \"a\" is there twice"));
    }
}
