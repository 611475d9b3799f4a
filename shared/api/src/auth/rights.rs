use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that a token may be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// To send spans.
    Ingest,
    /// To ask questions.
    Query,
    /// Both of these, and whatever else there will be.
    Admin,
}

/// The rights of a token.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    ingest: bool,
    query: bool,
    admin: bool,
}

impl Right {
    /// All there are, from the least on.
    pub const ALL: [Right; 3] = [Right::Ingest, Right::Query, Right::Admin];

    /// Its name in documents and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Right::Ingest => "ingest",
            Right::Query => "query",
            Right::Admin => "admin",
        }
    }
}

impl Rights {
    /// Whether a request that needs this right may go on.
    pub fn allow(self, right: Right) -> bool {
        self.admin || self.names(right)
    }

    /// Those that were given by name, from the least on.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.names(*right))
    }

    fn names(self, right: Right) -> bool {
        match right {
            Right::Ingest => self.ingest,
            Right::Query => self.query,
            Right::Admin => self.admin,
        }
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        let mut all = Self::default();
        for right in rights {
            match right {
                Right::Ingest => all.ingest = true,
                Right::Query => all.query = true,
                Right::Admin => all.admin = true,
            }
        }
        all
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Right::as_str)).finish()
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_may_do_all_and_the_others_what_they_say() {
        for (given, allowed) in [
            (&[][..], &[][..]),
            (&[Right::Ingest], &[Right::Ingest]),
            (&[Right::Query, Right::Query], &[Right::Query]),
            (&[Right::Query, Right::Ingest], &[Right::Ingest, Right::Query]),
            (&[Right::Admin], &Right::ALL),
        ] {
            let rights: Rights = given.iter().copied().collect();
            let found: Vec<_> = Right::ALL.into_iter().filter(|right| rights.allow(*right)).collect();
            assert_eq!(found, allowed, "{given:?}");
        }
    }
}
