use std::{cmp::Ordering, env};

/// In what a server is known to differ from S3, of what Niente can live with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deviations {
    /// It lists folder by folder, so that `a/x` comes before `a-b`, and begins where it should only after a key that it
    /// lists: SeaweedFS.
    list_order: bool,
    /// Writers that meet on a key wait for seconds: SeaweedFS.
    slow_contention: bool,
    /// A folder that became empty is listed for a while, and no object of its name can be created: SeaweedFS.
    folders_stay: bool,
}

/// In which order a server lists keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In the byte order of the keys, as S3 does.
    Bytes,
    /// Folder by folder: the byte order of their segments.
    Segments,
}

impl Deviations {
    /// The variable that names a server's deviations, with commas between them: `list-order`,
    /// `slow-contention`, `folders-stay`.
    pub const VARIABLE: &'static str = "NIENTE_TEST_S3_DEVIATIONS";

    /// Those that the environment names.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn from_env() -> Self {
        let mut deviations = Self::default();
        for name in env::var(Self::VARIABLE).unwrap_or_default().split(',').filter(|name| !name.is_empty()) {
            match name {
                "list-order" => deviations.list_order = true,
                "slow-contention" => deviations.slow_contention = true,
                "folders-stay" => deviations.folders_stay = true,
                _ => panic!("{}: there is no deviation {name:?}", Self::VARIABLE),
            }
        }
        deviations
    }

    /// In which order it lists.
    pub fn order(self) -> Order {
        if self.list_order { Order::Segments } else { Order::Bytes }
    }

    /// Whether a folder is gone as soon as its last object is.
    pub fn folders_go(self) -> bool {
        !self.folders_stay
    }

    /// How many may meet on one key.
    pub fn contenders(self) -> usize {
        if self.slow_contention { 2 } else { 32 }
    }
}

impl Order {
    /// Which of two keys is listed first.
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Order::Bytes => a.cmp(b),
            Order::Segments => a.split('/').cmp(b.split('/')),
        }
    }
}
