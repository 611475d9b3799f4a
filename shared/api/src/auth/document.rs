//! The document that lists tokens: JSON, small, and as strict as can be, since a field that is passed over could be
//! the one that takes a right away.

mod json;

use std::collections::BTreeSet;

use niente_cost::{Budget, Dollars};
use niente_model::{Nanos, Tenant};

use super::{Rights, Token, TokenHash, TokenId};

/// All tokens that there are, in the order in which they were listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenDocument {
    entries: Vec<TokenEntry>,
}

/// What is known of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenEntry {
    /// Its public part.
    pub id: TokenId,
    /// What it is for, for people: 1 to 100 characters.
    pub name: String,
    /// The hash of the whole token.
    pub hash: TokenHash,
    /// Whose data it is good for.
    pub tenants: TenantScope,
    /// What it is good for.
    pub rights: Rights,
    /// The first moment at which it is good for nothing any more; none if that never comes.
    pub expires: Option<Nanos>,
    /// What a query with it may read and cost.
    pub budget: Budget,
}

/// The tenants that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantScope {
    /// All that there are and will be.
    Every,
    /// These, at least one.
    Only(BTreeSet<Tenant>),
}

/// What is wrong with a tokens document. It never repeats a token or a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tokens document: {0}")]
pub struct InvalidDocument(String);

impl TokenDocument {
    /// The most bytes of a document.
    pub const MAX_BYTES: usize = 1 << 20;
    /// The most tokens of a document.
    pub const MAX_TOKENS: usize = 1_000;
    /// The longest name, in characters.
    const MAX_NAME: usize = 100;

    /// Reads a document.
    ///
    /// # Errors
    /// Whatever is not exactly as it should be, unknown fields and later versions included.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidDocument> {
        let mut document = Self::default();
        json::decode(bytes)?.try_for_each(|entry| document.add(entry?))?;
        Ok(document)
    }

    /// The document as text.
    pub fn encode(&self) -> Vec<u8> {
        json::encode(&self.entries)
    }

    /// Lists a token more.
    ///
    /// # Errors
    /// One that can't stand in a document beside those that do: its ID is taken, there are too many.
    pub fn add(&mut self, entry: TokenEntry) -> Result<(), InvalidDocument> {
        let wrong = |what: &str| Err(InvalidDocument::new(format!("token {}: {what}", entry.id)));
        if self.entries.iter().any(|other| other.id == entry.id) {
            return wrong("there is another one with this id");
        }
        if self.entries.len() == Self::MAX_TOKENS {
            return Err(InvalidDocument::new(format!("it has more than {} tokens", Self::MAX_TOKENS)));
        }
        if entry.name.is_empty() || entry.name.chars().count() > Self::MAX_NAME {
            return wrong("its name has to have 1 to 100 characters");
        }
        if entry.name.contains(char::is_control) {
            return wrong("its name has a control character");
        }
        if entry.tenants == TenantScope::Only(BTreeSet::new()) {
            return wrong("it has no tenants: list some, or write \"*\" for every tenant");
        }
        if entry.rights == Rights::default() {
            return wrong("it has no rights: list some of ingest, query and admin");
        }
        if entry.budget.dollars == Some(Dollars::ZERO) || entry.budget.bytes == Some(0) {
            return wrong("a limit of its queries is not above zero");
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The tokens.
    pub fn entries(&self) -> &[TokenEntry] {
        &self.entries
    }

    /// What is known of a token, if anything.
    ///
    /// A token that isn't listed takes as long as one that is but has another secret.
    pub(crate) fn find(&self, token: &Token) -> Option<&TokenEntry> {
        let hash = token.hash();
        let listed = self.entries.iter().find(|entry| entry.id == token.id());
        let is_right = hash == listed.map_or(TokenHash::of_nothing(), |entry| entry.hash);
        listed.filter(|_| is_right)
    }
}

impl TenantScope {
    /// Whether a tenant is one of these.
    pub fn contains(&self, tenant: &Tenant) -> bool {
        match self {
            TenantScope::Every => true,
            TenantScope::Only(names) => names.contains(tenant),
        }
    }
}

impl InvalidDocument {
    /// Whatever is long enough to be a token or a hash is left out: serde's messages quote what they don't like.
    fn new(message: impl AsRef<str>) -> Self {
        const LONGEST: usize = 24;

        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut told = String::new();
        for piece in message.as_ref().split_inclusive(|c: char| !is_word(c)) {
            let word = piece.trim_end_matches(|c: char| !is_word(c));
            match word.chars().count() > LONGEST {
                true => told.extend(["…", &piece[word.len()..]]),
                false => told.push_str(piece),
            }
        }
        Self(told)
    }
}

#[cfg(test)]
mod tests;
