//! What of a column's values is told beside its pages: by dictionaries, by bounds, by the keys of the generic lists.

use niente_model::Value;

use crate::{
    AttributeScope, Column, Footer, Listing,
    batch::generic_column,
    dictionary::{DictionaryPage, Told},
    scan::Leaf,
    schema::{self, attribute},
};

/// What there is beside the pages.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// These are some of them.
    pub(crate) values: Vec<Value>,
    /// These have others.
    pub(crate) dictionaries: Vec<DictionaryPage>,
    /// Dictionaries of generic lists' keys: if this key is in one of them, the pages are to be read.
    pub(crate) probes: Option<(String, Vec<DictionaryPage>)>,
    /// Whether the pages are to be read whatever dictionaries say.
    pub(crate) pages: bool,
}

impl Footer {
    /// What is told of a listing, without reading anything.
    pub(crate) fn sources(&self, listing: &Listing) -> Sources {
        let mut sources = Sources { pages: listing.roots, ..Sources::default() };
        match &listing.column {
            Column::Name
            | Column::StatusMessage
            | Column::ScopeName
            | Column::ScopeVersion
            | Column::EventName
            | Column::EventKeys
            | Column::LinkKeys => {
                let mut wanted = Vec::new();
                self.leaves(&listing.column, &mut wanted);
                self.matching(&wanted).for_each(|leaf| sources.take(self.told(leaf)));
            }
            Column::Attribute(scope, key) => {
                let typed = self.attribute_columns().iter().filter(|c| c.scope == *scope && c.key == *key);
                let typed: Vec<Leaf> = typed.map(|column| Leaf::Whole(column.name())).collect();
                self.matching(&typed).for_each(|leaf| sources.take(self.told(leaf)));
                sources.probe(self, key, Leaf::Part(generic_column(*scope), attribute::KEY));
            }
            Column::EventAttribute(key) => {
                sources.probe(self, key, Leaf::Inner(schema::EVENTS, schema::ATTRIBUTES, attribute::KEY));
            }
            Column::LinkAttribute(key) => {
                sources.probe(self, key, Leaf::Inner(schema::LINKS, schema::ATTRIBUTES, attribute::KEY));
            }
            Column::Keys(scope) => {
                self.typed_keys(*scope, &mut sources);
                let generic = [Leaf::Part(generic_column(*scope), attribute::KEY)];
                self.matching(&generic).for_each(|leaf| sources.take(self.told(leaf)));
            }
            Column::Attributes(_) | Column::EventTime | Column::LinkTraceId | Column::LinkSpanId => {
                sources.pages = true
            }
        }
        sources
    }

    /// Keys with a column of their own in which there is a value.
    fn typed_keys(&self, scope: AttributeScope, sources: &mut Sources) {
        for column in self.attribute_columns().iter().filter(|column| column.scope == scope) {
            for leaf in self.matching(&[Leaf::Whole(column.name())]) {
                match self.leaf_has_values(leaf) {
                    Some(true) => sources.values.push(Value::Str(column.key.clone())),
                    Some(false) => {}
                    None => sources.pages = true,
                }
            }
        }
    }

    /// The leaf columns of the Parquet schema that these name.
    fn matching(&self, wanted: &[Leaf]) -> impl Iterator<Item = usize> {
        let parquet = self.reader.parquet_schema();
        (0..parquet.num_columns()).filter(|leaf| {
            let path = parquet.column(*leaf);
            wanted.iter().any(|wanted| wanted.is(path.path().parts()))
        })
    }
}

impl Sources {
    fn take(&mut self, told: impl Iterator<Item = Told>) {
        for told in told {
            match told {
                Told::Values(values) => self.values.extend(values),
                Told::InDictionary(page) => self.dictionaries.push(page),
                Told::InPages => self.pages = true,
            }
        }
    }

    fn probe(&mut self, footer: &Footer, key: &str, leaf: Leaf) {
        let mut keys = Sources::default();
        footer.matching(&[leaf]).for_each(|leaf| keys.take(footer.told(leaf)));
        self.pages |= keys.pages;
        self.probes = Some((key.to_owned(), keys.dictionaries));
    }

    /// All dictionaries.
    pub(crate) fn all_dictionaries(&self) -> impl Iterator<Item = DictionaryPage> {
        let probes = self.probes.iter().flat_map(|(_, pages)| pages);
        self.dictionaries.iter().chain(probes).copied()
    }
}
