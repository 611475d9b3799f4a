//! What a role allows, by IAM's rules as far as the template uses them.

use niente_store::testing::{Attempt, S3Server};
use serde_json::Value;

use super::template::Template;

/// The statements of a role's policies. All of them allow.
#[derive(Clone, Debug)]
pub(crate) struct Role(Vec<Statement>);

#[derive(Clone, Debug)]
struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    /// Patterns for `s3:prefix`, of requests that have one.
    prefixes: Option<Vec<String>>,
}

impl Role {
    pub(crate) fn of(template: &Template, role: &str) -> Self {
        let policies = template.property(role, "Policies");
        let policies = policies.as_array().unwrap().iter();
        let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone());
        Self(statements.map(|statement| Statement::read(&statement)).collect())
    }

    /// The names of its statements.
    pub(crate) fn sids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|statement| statement.sid.as_str())
    }

    /// The same without one of its statements.
    pub(crate) fn without(&self, sid: &str) -> Self {
        assert!(self.sids().any(|known| known == sid), "no {sid}");
        Self(self.0.iter().filter(|statement| statement.sid != sid).cloned().collect())
    }

    /// Whether it may do this to a bucket.
    pub(crate) fn allows(&self, attempt: &Attempt<'_>) -> bool {
        let bucket = format!("arn:aws:s3:::{}", S3Server::BUCKET);
        let resource = attempt.key.map_or(bucket.clone(), |key| format!("{bucket}/{key}"));
        let lets = |statement: &Statement| {
            let prefix_fits = |prefix| any(statement.prefixes.as_deref().unwrap_or_default(), prefix);
            statement.covers(attempt.action, &resource)
                && (statement.prefixes.is_none() || attempt.prefix.is_none_or(prefix_fits))
        };
        self.0.iter().any(lets)
    }

    /// Whether it may do this to something that is no bucket.
    pub(crate) fn covers(&self, action: &str, resource: &str) -> bool {
        self.0.iter().any(|statement| statement.prefixes.is_none() && statement.covers(action, resource))
    }
}

impl Statement {
    /// # Panics
    /// If it says anything that is not understood here: a condition passed over would be a permission made up.
    fn read(statement: &Value) -> Self {
        for name in statement.as_object().unwrap().keys() {
            assert!(["Sid", "Effect", "Action", "Resource", "Condition"].contains(&name.as_str()), "{name}");
        }
        assert_eq!(statement["Effect"], "Allow");
        let condition = statement["Condition"].as_object().map(|condition| {
            assert_eq!(condition.keys().collect::<Vec<_>>(), ["StringLikeIfExists"]);
            let patterns = condition["StringLikeIfExists"].as_object().unwrap();
            assert_eq!(patterns.keys().collect::<Vec<_>>(), ["s3:prefix"]);
            texts(&patterns["s3:prefix"])
        });
        Self {
            sid: statement["Sid"].as_str().unwrap().to_owned(),
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            prefixes: condition,
        }
    }

    fn covers(&self, action: &str, resource: &str) -> bool {
        any(&self.actions, action) && any(&self.resources, resource)
    }
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    let one = |value: &Value| value.as_str().unwrap().to_owned();
    value.as_array().map_or_else(|| vec![one(value)], |texts| texts.iter().map(one).collect())
}

fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

/// Whether a pattern in which `*` stands for anything is like the text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text.strip_prefix(before).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[test]
fn stars_stand_for_anything() {
    for (pattern, text, fits) in [
        ("a/*/l0/*", "a/t/l0/x", true),
        ("a/*/l0/*", "a/t/u/l0/", true),
        ("a/*/l0/*", "a/t/blocks/x", false),
        ("a", "ab", false),
        ("*", "", true),
        ("a*", "b", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}
