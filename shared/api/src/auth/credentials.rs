use base64::{Engine, engine::general_purpose::STANDARD_PAD_INDIFFERENT};
use http::{HeaderMap, header::AUTHORIZATION};

use super::{AuthError, Token};

/// The longest header, in bytes. A token has 84, and basic auth makes four of three.
const LONGEST: usize = 4 << 10;

/// The token that a request shows: with `Bearer`, or as the password of basic auth, whoever the user is.
///
/// What is no token can't be any that is listed, and is told the same as one that isn't.
pub(super) fn presented(headers: &HeaderMap) -> Result<Token, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Header("is there several times"));
    }
    if value.len() > LONGEST {
        return Err(AuthError::Header("is longer than 4096 bytes"));
    }
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| AuthError::Header("is not UTF-8"))?;
    let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
    let credentials = credentials.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        credentials.parse().map_err(|_| AuthError::Unknown)
    } else if scheme.eq_ignore_ascii_case("basic") {
        password(credentials).and_then(|password| password.parse().ok()).ok_or(AuthError::Unknown)
    } else {
        Err(AuthError::Missing)
    }
}

fn password(credentials: &str) -> Option<String> {
    let pair = String::from_utf8(STANDARD_PAD_INDIFFERENT.decode(credentials).ok()?).ok()?;
    let (_, password) = pair.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// The token of requests with these header values, or the start of the error.
    fn check(values: &[&[u8]], expected: Result<&Token, &str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        match (presented(&headers), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, *expected, "{values:?}"),
            (Err(error), Err(start)) => assert!(error.to_string().starts_with(start), "{values:?}: {error}"),
            (found, expected) => panic!("{values:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_token_is_a_bearer_s_or_a_password() {
        let token = Token::from_random([7; Token::RANDOM_BYTES]);
        let text = token.reveal();
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer  "] {
            check(&[format!("{scheme} {text} ").as_bytes()], Ok(&token));
        }
        for user in ["", "grafana", "12345", "ü"] {
            let pair = STANDARD_PAD_INDIFFERENT.encode(format!("{user}:{text}"));
            for credentials in [pair.as_str(), pair.trim_end_matches('=')] {
                check(&[format!("Basic {credentials}").as_bytes()], Ok(&token));
                check(&[format!("bAsIc {credentials}").as_bytes()], Ok(&token));
            }
        }
        check(&[format!("Bearer {text}").as_bytes(); 2], Err("the header Authorization is there several times"));
        check(&[format!("Token {text}").as_bytes()], Err("this needs a token"));
        check(&[text.as_bytes()], Err("this needs a token"));
        check(&[format!("Bearer {text}, Bearer {text}").as_bytes()], Err("the token is not known"));
        check(&[format!("Bearer {}", text.to_uppercase()).as_bytes()], Err("the token is not known"));
    }

    #[test]
    fn everything_else_is_refused() {
        check(&[], Err("this needs a token"));
        check(&[b""], Err("this needs a token"));
        check(&[b"Digest username=\"x\""], Err("this needs a token"));
        check(&[b"Bearer"], Err("the token is not known"));
        check(&[b"Bearer x y"], Err("the token is not known"));
        for pair in [&b""[..], b"!", b"dXNlcg==", b"/w==", b"Og=="] {
            check(&[&[b"Basic ", pair].concat()], Err("the token is not known"));
        }
        check(&[b"Bearer \xff"], Err("the header Authorization is not UTF-8"));
        check(&[&[b"Bearer ", &[b'x'; LONGEST][..]].concat()], Err("the header Authorization is longer than"));
    }
}
