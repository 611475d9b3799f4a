use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Every token begins with it, so that people and scanners of leaked secrets know one when they see it.
const PREFIX: &str = "niente_";
const ID_BYTES: usize = 6;
const SECRET_BYTES: usize = 32;
/// What the text of a hash begins with.
const ALGORITHM: &str = "blake3:";

/// A token: `niente_<id>_<secret>`, both parts hexadecimal, the secret 256 random bits.
///
/// Its `Debug` shows the ID alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    id: TokenId,
    text: String,
}

/// The public part of a token, by which it is listed and named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId([u8; ID_BYTES]);

/// What is stored of a token: the BLAKE3 hash of its whole text.
///
/// A slow, salted hash is for secrets that people choose. A token has 256 random bits: nobody finds them by trying,
/// however fast the hash is. Two hashes are compared in constant time.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash(blake3::Hash);

/// A text that is no token, or no part of one. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// No token.
    #[error("a token is niente_, 12 hexadecimal digits, _ and 64 more")]
    Token,
    /// No ID.
    #[error("a token's ID is 12 hexadecimal digits in lower case")]
    Id,
    /// No hash.
    #[error("a token's hash is blake3: and 64 hexadecimal digits")]
    Hash,
}

impl Token {
    /// How many random bytes make a token.
    pub const RANDOM_BYTES: usize = ID_BYTES + SECRET_BYTES;

    /// The token made of these bytes, which have to come from a source of randomness fit for secrets.
    pub fn from_random(bytes: [u8; Self::RANDOM_BYTES]) -> Self {
        let (id, secret) = bytes.split_first_chunk().expect("there are more bytes than an ID has");
        let id = TokenId(*id);
        Self { id, text: format!("{PREFIX}{id}_{}", hex::encode(secret)) }
    }

    /// The public part.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// What may be stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash(blake3::hash(self.text.as_bytes()))
    }

    /// The token itself, for the one time that it is shown to whom it is for.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl TokenHash {
    /// The hash of no text, which is no token's.
    pub(super) fn of_nothing() -> Self {
        Self(blake3::hash(b""))
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let parts = text.strip_prefix(PREFIX).and_then(|parts| parts.split_once('_'));
        let (id, secret) = parts.ok_or(InvalidToken::Token)?;
        match id.parse() {
            Ok(id) if is_hex(secret, SECRET_BYTES) => Ok(Self { id, text: text.to_owned() }),
            _ => Err(InvalidToken::Token),
        }
    }
}

impl FromStr for TokenId {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let mut id = [0; ID_BYTES];
        if !is_hex(text, ID_BYTES) || hex::decode_to_slice(text, &mut id).is_err() {
            return Err(InvalidToken::Id);
        }
        Ok(Self(id))
    }
}

impl FromStr for TokenHash {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let digits = text.strip_prefix(ALGORITHM).ok_or(InvalidToken::Hash)?;
        blake3::Hash::from_hex(digits).map(Self).map_err(|_| InvalidToken::Hash)
    }
}

/// In one spelling only: two texts are never one token.
fn is_hex(text: &str, bytes: usize) -> bool {
    text.len() == 2 * bytes && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_…", self.id)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}…")
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.to_string()
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        format!("{ALGORITHM}{}", hash.0.to_hex())
    }
}

impl TryFrom<String> for TokenId {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        text.parse()
    }
}

impl TryFrom<String> for TokenHash {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token::from_random(std::array::from_fn(|at| at as u8))
    }

    #[test]
    fn a_token_is_its_prefix_its_id_and_its_secret() {
        let secret = "060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425";
        assert_eq!(token().reveal(), format!("niente_000102030405_{secret}"));
        assert_eq!(token().id().to_string(), "000102030405");
        assert_eq!(token().reveal().parse(), Ok(token()));
        assert_eq!(String::from(token().hash()).parse(), Ok(token().hash()));
        assert_ne!(token().hash(), Token::from_random([0; Token::RANDOM_BYTES]).hash());
    }

    #[test]
    fn nothing_else_is_a_token() {
        let good = token().reveal().to_owned();
        for wrong in [
            "",
            "niente_",
            "niente_000102030405",
            "niente_000102030405_",
            &good[1..],
            &good[..good.len() - 1],
            &format!("{good}0"),
            &format!("{good} "),
            &good.to_uppercase(),
            &good.replace("0a0b", "0A0B"),
            &good.replace("0a0b", "0g0b"),
            &good.replacen('_', "-", 1),
            &good.replace("000102030405", "0001020304"),
        ] {
            assert_eq!(wrong.parse::<Token>(), Err(InvalidToken::Token), "{wrong}");
        }
        for wrong in ["", "blake3:", "blake3:00", "sha256:00", &"0".repeat(64)] {
            assert_eq!(wrong.parse::<TokenHash>(), Err(InvalidToken::Hash), "{wrong}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?} {:?}", token(), token().hash()), "niente_000102030405_… blake3:…");
    }
}
