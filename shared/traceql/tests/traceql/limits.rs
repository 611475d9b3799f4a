//! However a query is built, it is answered, and never exhausts the stack.

use niente_traceql::{ErrorKind, MAX_FIELDS, MAX_NESTING, MAX_PATTERNS, MAX_QUERY_BYTES, MAX_STEPS, parse};

const MANY: usize = 10_000;

/// The query parses, and can be walked, copied, compared and printed.
fn accept(query: &str) {
    let tree = parse(query).unwrap_or_else(|error| panic!("{}…: {error}", &query[..query.len().min(50)]));
    assert_eq!(tree.clone(), tree);
    assert!(!tree.to_string().is_empty());
    assert!(tree.fields().len() <= query.len());
}

fn refuse_as_too_deep(query: &str) {
    let shown = &query[..query.len().min(50)];
    let error = parse(query).expect_err(shown);
    assert_eq!(error.kind, ErrorKind::Syntax, "{shown}…: {error}");
    assert!(error.to_string().contains("nested more than 200 levels deep"), "{shown}…: {error}");
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    for levels in [MAX_NESTING + 1, MANY] {
        refuse_as_too_deep(&nested("(", "{ .a }", ")", levels));
        refuse_as_too_deep(&nested("(", "count()", ")", levels));
        refuse_as_too_deep(&format!("{{ {} }}", nested("(", ".a", ")", levels)));
        refuse_as_too_deep(&format!("{{ {} }}", nested("!", ".a", "", levels)));
        refuse_as_too_deep(&format!("{{ {} }}", nested("-", "1 = 1", "", levels)));
        refuse_as_too_deep(&format!("{{ .a = {} }}", nested("2 ^ ", "2", "", levels)));
        refuse_as_too_deep(&format!("{{ .a = {} }}", nested("(1 + ", "1", ")", levels)));
        refuse_as_too_deep(&format!("{{ .a = {} }}", nested("1 + ", "1", "", levels)));
        refuse_as_too_deep(&format!("{{ .a {} }}", " > 1".repeat(levels)));
        refuse_as_too_deep(&format!("{{ .a {} }}", " = nil".repeat(levels)));
        refuse_as_too_deep(&format!("{{ .a {} }}", "&& .b||.c".repeat(levels)));
        refuse_as_too_deep(&format!("{{ .a }} {}", "> { .b }".repeat(levels)));
        refuse_as_too_deep(&format!("{{ .a }} {}", "&&{}||{}".repeat(levels)));
        refuse_as_too_deep(&nested("(by(.a)|", "{ }", ")", levels));
        refuse_as_too_deep(&format!("count() > {}", nested("1 ^ ", "1", "", levels)));
        refuse_as_too_deep(&format!("{{ }} | compare({{ {} }})", nested("(", ".a", ")", levels)));
    }
}

#[test]
fn nesting_up_to_the_limit_is_accepted() {
    // The filter itself is a level, and so is the innermost operand.
    let levels = MAX_NESTING - 2;
    accept(&format!("{{ {}.a{} }}", "(".repeat(levels), ")".repeat(levels)));
    accept(&format!("{{ {}.a }}", "!".repeat(levels)));
    accept(&format!("{{ .a = .b {} }}", "= .c ".repeat(levels - 1)));
    accept(&format!("{{ .a }} {}", "> { .b } ".repeat(levels)));
    accept(&format!("{}{{ .a }}{}", "(".repeat(levels), ")".repeat(levels)));
}

/// Short towers of towers: no chain is long, and no parenthesis deep, but the tree would be.
#[test]
fn the_height_of_the_tree_counts() {
    let mut expr = ".a".to_owned();
    for _ in 0..20 {
        expr = format!("({expr}{})", " + 1".repeat(50));
    }
    refuse_as_too_deep(&format!("{{ {expr} = 1 }}"));
}

#[test]
fn long_chains_of_logic_are_accepted() {
    accept(&format!("{{ {}.a }}", ".a||".repeat(MAX_QUERY_BYTES / 4 - 2)));
    accept(&format!("{{ {}.a }}", ".a&&".repeat(MANY)));
    accept(&format!("{{ {} .a {} }}", "(.a || ".repeat(150), ")".repeat(150)));
    accept(&format!("{}{{ }}", "{.a}||".repeat(MANY)));
    accept(&format!("{}{{ }}", "{.a}&&".repeat(MANY)));
    accept(&format!("{{ }} {}", "with(a=1) ".repeat(MANY)));
    accept(&format!("{{ }} | select(.a{})", ", .b".repeat(MANY)));
    accept(&format!("{{ }} | rate() {}", "> 1 ".repeat(MANY)));
}

#[test]
fn fields_and_steps_are_counted() {
    let fields =
        |count: usize| format!("{{ {} }}", (0..count).map(|n| format!(".a{n}")).collect::<Vec<_>>().join("||"));
    let steps = |count: usize| format!("{{ }}{}", "|{ .a }".repeat(count - 1));
    let wrapped = |count: usize| format!("({}) && ({})", steps(count / 2), steps(count - count / 2 - 1));
    accept(&fields(MAX_FIELDS));
    accept(&steps(MAX_STEPS));
    accept(&wrapped(MAX_STEPS));
    for (query, words) in [
        (fields(MAX_FIELDS + 1), "mentions 201 fields, at most 200"),
        (steps(MAX_STEPS + 1), "has 101 pipeline steps, at most 100"),
        (wrapped(MAX_STEPS + 1), "has 101 pipeline steps, at most 100"),
    ] {
        let error = parse(&query).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn patterns_are_counted() {
    let many = |count: usize| format!("{{ {} }}", vec![".a =~ `x`"; count].join(" || "));
    accept(&many(MAX_PATTERNS));
    let error = parse(&many(MAX_PATTERNS + 1)).unwrap_err();
    assert!(error.to_string().contains("more than 100 regular expressions"), "{error}");
}

#[test]
fn a_text_has_a_size() {
    let fitting = format!("{{ .a = `{}` }}", "x".repeat(MAX_QUERY_BYTES - 11));
    assert_eq!(fitting.len(), MAX_QUERY_BYTES);
    accept(&fitting);
    let error = parse(&format!("{fitting} ")).unwrap_err();
    assert_eq!((error.kind, error.position), (ErrorKind::Syntax, None));
    assert_eq!(error.to_string(), "parse error: the query is 131073 bytes long, more than 131072");
}
