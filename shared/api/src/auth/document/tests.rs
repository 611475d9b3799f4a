use super::*;
use crate::auth::Right;

fn token(byte: u8) -> Token {
    Token::from_random([byte; Token::RANDOM_BYTES])
}

fn entry(byte: u8) -> TokenEntry {
    TokenEntry {
        id: token(byte).id(),
        name: "grafana".to_owned(),
        hash: token(byte).hash(),
        tenants: TenantScope::Only(["team-b", "team-a"].map(|name| Tenant::new(name).unwrap()).into()),
        rights: [Right::Query].into_iter().collect(),
        expires: Some(Nanos::from_secs(1_800_000_000)),
        budget: Budget { dollars: "0.05".parse().ok(), bytes: Some(10_000_000_000) },
    }
}

/// The text of a document with one entry, of which a piece has been replaced.
fn text_with(piece: &str, other: &str) -> String {
    let mut document = TokenDocument::default();
    document.add(entry(1)).unwrap();
    let text = String::from_utf8(document.encode()).unwrap();
    assert!(text.contains(piece), "{piece} in {text}");
    text.replacen(piece, other, 1)
}

#[track_caller]
fn check(text: &str, reason: &str) {
    let error = TokenDocument::decode(text.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("the tokens document: "), "{error}");
    assert!(error.contains(reason), "{error}");
    let hash = String::from(token(1).hash());
    for piece in [&hash["blake3:".len()..][..25], &token(1).reveal()[20..45]] {
        assert!(!error.contains(piece), "{error}");
    }
}

#[test]
fn documents_are_read_as_they_are_written() {
    let mut document = TokenDocument::default();
    document.add(entry(2)).unwrap();
    let rights = [Right::Admin, Right::Ingest].into_iter().collect();
    let tenants = TenantScope::Every;
    let budget = Budget::UNLIMITED;
    document.add(TokenEntry { rights, tenants, expires: None, budget, ..entry(1) }).unwrap();
    assert_eq!(TokenDocument::decode(&document.encode()), Ok(document.clone()));
    assert_eq!(TokenDocument::decode(br#"{"niente":1,"tokens":[]}"#), Ok(TokenDocument::default()));

    let hash = String::from(token(2).hash());
    let text = String::from_utf8(document.encode()).unwrap();
    let start = format!(
        r#"{{
  "niente": 1,
  "tokens": [
    {{
      "id": "020202020202",
      "name": "grafana",
      "hash": "{hash}",
      "tenants": [
        "team-a",
        "team-b"
      ],
      "rights": [
        "query"
      ],
      "expires": "2027-01-15T08:00:00Z",
      "max_query_cost": 0.05,
      "max_query_bytes": 10000000000
    }},
"#
    );
    assert!(text.starts_with(&start), "{text}");
}

#[test]
fn a_token_is_found_by_its_id_and_its_hash() {
    let mut document = TokenDocument::default();
    document.add(entry(1)).unwrap();
    // Listed with another secret.
    document.add(TokenEntry { hash: token(1).hash(), ..entry(2) }).unwrap();
    assert_eq!(document.find(&token(1)), Some(&entry(1)));
    assert_eq!(document.find(&token(2)), None);
    assert_eq!(document.find(&token(3)), None);
}

#[test]
fn what_is_damaged_is_named() {
    check("", "EOF while parsing");
    check("[]", "expected an object with the fields niente and tokens");
    check("[1]", "expected an object with the fields niente and tokens");
    check(r#"{"niente":1,"tokens":[7]}"#, "invalid type: integer `7`, expected an object with what is known");
    check(&text_with("}", ""), "line ");
    check(&text_with("\"niente\": 1", "\"niente\": 2"), "needs a reader of version 2, this one knows versions up to 1");
    check(&text_with("\"niente\": 1", "\"niente\": \"1\""), "invalid type");
    check(&text_with("\"niente\": 1,", ""), "missing field `niente`");
    check(&text_with("\"tokens\"", "\"token\""), "unknown field `token`");
    check(&text_with("\"name\"", "\"colour\": 1, \"name\""), "unknown field `colour`");
    check(&text_with("\"name\"", "\"name\": \"x\", \"name\""), "duplicate field `name`");
    check(&text_with("\"rights\"", "\"right\""), "unknown field `right`");
    check(&text_with("\"query\"", "\"write\""), "unknown variant `write`, expected one of `ingest`, `query`, `admin`");
    check(&text_with("\"query\"", ""), "token 010101010101: it has no rights");
    check(&text_with("\"team-b\"", "\"../b\""), "the tenant name has the character '/'");
    check(&text_with("\"team-b\"", "\"*\""), "\"*\" stands in a list");
    check(&text_with("\"grafana\"", "\"\""), "its name has to have 1 to 100 characters");
    check(&text_with("\"grafana\"", r#""a\u001bb""#), "its name has a control character");
    check(&text_with("2027-01-15T08:00:00Z", "tomorrow"), "token 010101010101: expires: this is no moment such as");
    check(&text_with("2027-01-15T08:00:00Z", "2027-01-15T08:00:00"), "expires: this is no moment");
    check(&text_with("0.05", "0"), "a limit of its queries is not above zero");
    check(&text_with("0.05", "-1"), "-1 is no amount of dollars");
    check(&text_with("0.05", "1e999"), "number out of range");
    check(&text_with("10000000000", "0"), "a limit of its queries is not above zero");
    check(&text_with("010101010101", "01010101010"), "a token's ID is 12 hexadecimal digits");
    check(&text_with("blake3:", "sha256:"), "a token's hash is blake3: and 64");

    let mut document = TokenDocument::default();
    document.add(entry(1)).unwrap();
    let error = document.add(entry(1)).unwrap_err().to_string();
    assert_eq!(error, "the tokens document: token 010101010101: there is another one with this id");
}

#[test]
fn neither_tokens_nor_hashes_are_repeated() {
    let token = token(1).reveal().to_owned();
    check(&text_with("\"query\"", &format!("\"{token}\"")), "unknown variant `…`");
    check(&text_with("\"rights\"", &format!("\"{token}\"")), "unknown field `…`");
    check(&text_with("\"hash\": \"blake3:", "\"hash\": \""), "a token's hash is blake3: and 64");
    check(&text_with("\"blake3:", "7, \""), "line 7");
    check(&text_with("\"team-a\",", &format!("\"`{token}`\",")), "the tenant name has the character '`'");
    check(&format!(r#"{{"niente":1,"tokens":["{token}"]}}"#), "invalid type: string \"…\"");
    check(&format!(r#"{{"niente":1,"tokens":"{token}"}}"#), "invalid type: string \"…\"");
    check(&format!("\"{token}\""), "invalid type: string \"…\"");
    check(&token, "expected ident");
}

#[test]
fn size_and_number_are_bounded() {
    let large = format!("{}{}", " ".repeat(TokenDocument::MAX_BYTES), text_with("1", "1"));
    check(&large, "bytes, at most 1048576 are allowed");

    let mut document = TokenDocument::default();
    let id = |number: usize| format!("{number:012x}").parse().unwrap();
    for number in 0..TokenDocument::MAX_TOKENS {
        document.add(TokenEntry { id: id(number), ..entry(1) }).unwrap();
    }
    let error = document.add(TokenEntry { id: id(TokenDocument::MAX_TOKENS), ..entry(1) }).unwrap_err();
    assert_eq!(error.to_string(), "the tokens document: it has more than 1000 tokens");
    assert!(document.encode().len() < TokenDocument::MAX_BYTES);
}

#[test]
fn moments_beyond_what_can_be_counted_are_its_ends() {
    for (text, moment) in [
        ("1960-01-01T00:00:00Z", Nanos::ZERO),
        ("2400-01-01T00:00:00Z", Nanos::MAX),
        ("2027-01-15T09:00:00+01:00", Nanos::from_secs(1_800_000_000)),
    ] {
        let document = TokenDocument::decode(text_with("2027-01-15T08:00:00Z", text).as_bytes()).unwrap();
        assert_eq!(document.entries()[0].expires, Some(moment), "{text}");
    }
}
