//! What template.yaml says, as a deployment with its defaults would have it.

use std::{collections::BTreeMap, path::PathBuf};

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Map, Value};

/// The template, and what its references mean here.
pub(crate) struct Template {
    root: Value,
    known: BTreeMap<String, String>,
}

impl Template {
    /// The one at the repository's root. `known` are the names and attributes of resources that matter: `Bucket`,
    /// `Bucket.Arn`; of all others a text is made up.
    pub(crate) fn read(known: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let documents = Yaml::load_from_str(&text).unwrap();
        let known = known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { root: plain(&documents[0]), known }
    }

    /// A resource's property, with everything in it resolved.
    pub(crate) fn property(&self, resource: &str, name: &str) -> Value {
        let property = &self.root["Resources"][resource]["Properties"][name];
        assert!(!property.is_null(), "{resource} has no {name}");
        self.resolve(property)
    }

    /// The environment of a function.
    pub(crate) fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let globals = self.resolve(&self.root["Globals"]["Function"]["Environment"]["Variables"]);
        let own = self.property(function, "Environment");
        let variables = [&globals, &own["Variables"]].into_iter().flat_map(|variables| variables.as_object().unwrap());
        variables.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), text(value))).collect()
    }

    fn resolve(&self, value: &Value) -> Value {
        match value {
            Value::Object(entries) => match entries.iter().next() {
                Some((tag, argument)) if tag.starts_with('!') => self.call(tag, argument),
                _ => entries
                    .iter()
                    .map(|(name, value)| (name.clone(), self.resolve(value)))
                    .collect::<Map<_, _>>()
                    .into(),
            },
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            plain => plain.clone(),
        }
    }

    /// A function of CloudFormation's.
    fn call(&self, tag: &str, argument: &Value) -> Value {
        match tag {
            "!Ref" => self.reference(argument.as_str().unwrap()),
            "!GetAtt" => self.attribute(argument.as_str().unwrap()).into(),
            "!Sub" => self.substitute(argument.as_str().unwrap()).into(),
            "!If" => {
                let branch = if self.holds(argument[0].as_str().unwrap()) { 1 } else { 2 };
                self.resolve(&argument[branch])
            }
            "!Equals" => (text(&self.resolve(&argument[0])) == text(&self.resolve(&argument[1]))).into(),
            "!Not" => (self.resolve(&argument[0]) == Value::Bool(false)).into(),
            "!And" => argument.as_array().unwrap().iter().all(|each| self.resolve(each) == Value::Bool(true)).into(),
            "!Condition" => self.holds(argument.as_str().unwrap()).into(),
            other => panic!("{other} is not known here"),
        }
    }

    fn holds(&self, condition: &str) -> bool {
        self.resolve(&self.root["Conditions"][condition]).as_bool().unwrap_or_else(|| panic!("no {condition}"))
    }

    /// A parameter's default, or what a resource is called.
    fn reference(&self, name: &str) -> Value {
        if name == "AWS::NoValue" {
            return Value::Null;
        }
        match &self.root["Parameters"][name]["Default"] {
            Value::Null => self.attribute(name).into(),
            default => default.clone(),
        }
    }

    fn attribute(&self, name: &str) -> String {
        self.known.get(name).cloned().unwrap_or_else(|| format!("arn:aws:other:::{name}"))
    }

    fn substitute(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut resolved = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            resolved += &(if name.contains('.') { self.attribute(name) } else { self::text(&self.reference(name)) });
            resolved += rest;
        }
        resolved
    }
}

/// As CloudFormation turns it into text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// YAML as JSON: a tagged node becomes an object with the tag as its one name.
fn plain(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Tagged(tag, node) => Map::from_iter([(format!("{}{}", tag.handle, tag.suffix), plain(node))]).into(),
        Yaml::Mapping(entries) => {
            entries.iter().map(|(name, value)| (text(&plain(name)), plain(value))).collect::<Map<_, _>>().into()
        }
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        scalar => match (scalar.as_str(), scalar.as_bool(), scalar.as_integer()) {
            (Some(text), ..) => text.into(),
            (_, Some(flag), _) => flag.into(),
            (_, _, Some(number)) => number.into(),
            _ => Value::Null,
        },
    }
}
