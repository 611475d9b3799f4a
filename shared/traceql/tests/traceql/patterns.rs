//! Regular expressions mean what Go's RE2 says.

use niente_traceql::Pattern;

/// What a pattern matches, and what it doesn't.
fn check(cases: &[(&str, &[&str], &[&str])]) {
    for (source, matching, others) in cases {
        let pattern = Pattern::new(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        for value in *matching {
            assert!(pattern.is_match(value), "{source} matches {value:?}");
        }
        for value in *others {
            assert!(!pattern.is_match(value), "{source} does not match {value:?}");
        }
    }
}

#[test]
fn the_whole_value_matches() {
    check(&[
        ("foo", &["foo"], &["foobar", "a foo", "foo\n", "FOO", ""]),
        ("foo.*", &["foo", "foobar", "foo\nbar"], &["a foo"]),
        ("", &[""], &["x", "\n"]),
        ("a|ab", &["a", "ab"], &["abc"]),
        ("^a$", &["a"], &["a\n", "\na"]),
        ("(?m)^a$\nb", &["a\nb"], &["a"]),
        (".", &["\n", "é"], &[""]),
        ("(?-s).", &["x"], &["\n"]),
        ("(?-s:.)|..", &["x", "\n\n"], &["\n"]),
    ]);
}

#[test]
fn classes_are_ascii() {
    check(&[
        (r"\d+", &["123"], &["١٢٣"]),
        (r"\D", &["x", "٣"], &["3"]),
        (r"\w+", &["aZ_9"], &["é", "-"]),
        (r"\W", &["é", " "], &["a"]),
        (r"\s", &[" ", "\t", "\n", "\r", "\u{c}"], &["\u{b}", "\u{a0}"]),
        (r"\S", &["\u{b}", "\u{a0}", "x"], &[" "]),
        (r"a\b.*", &["a b", "a", "aé"], &["ab"]),
        (r"a\B.*", &["ab"], &["a", "a b", "aé"]),
        (r"[\d.]+", &["1.2"], &["١"]),
        (r"[^\w]", &["é", "-"], &["a"]),
        (r"[\W]", &["é"], &["a"]),
        (r"[\s\S]", &["\n", "é"], &[]),
        ("[[:alpha:]]+", &["aZ"], &["é", "1"]),
        ("[[:^alpha:]0-9-]+", &["1é-"], &["a"]),
        ("[[:word:]x]", &["_", "x"], &["-"]),
        (r"\pL+", &["éa"], &["1"]),
        (r"\PL", &["1"], &["a"]),
        (r"\p{Greek}\P{Greek}\p{^Greek}\P{^Greek}", &["αaaα"], &["aaaa"]),
        (r"[\pN\p{Lu}]+", &["1É"], &["é"]),
        ("(?i)straße|K", &["STRAßE", "k", "\u{212a}"], &["STRASSE"]),
    ]);
}

#[test]
fn brackets_hold_what_they_hold_in_go() {
    check(&[
        ("[a&&b]+", &["a&b"], &["c"]),
        ("[+--/]+", &["+,-/"], &["."]),
        ("[a~~b]+", &["a~b"], &["c"]),
        ("[[a]+", &["[a"], &["]"]),
        ("[]a]+", &["]a"], &["["]),
        ("[^]a]", &["b", "\n"], &["]", "a"]),
        ("[a-]+", &["a-"], &["b"]),
        ("[-a]+", &["-a"], &["b"]),
        (r"[\]\-\\^]+", &[r"]-\^"], &["a"]),
        (r"[\x41-\x{43}\n\101]+", &["ABC\n"], &["D"]),
        ("[#-& ]+", &["#$%& "], &["'"]),
        ("[a-c-e]+", &["abc-e"], &["d"]),
    ]);
}

#[test]
fn escapes_are_those_of_go() {
    check(&[
        (r"\Qa.b*(\E+", &["a.b*((("], &["a.b*", "axb("]),
        (r"\Qa.b", &["a.b"], &["axb"]),
        (r"\Q\E", &[""], &["x"]),
        (r"\a\f\t\n\r\v", &["\x07\x0c\t\n\r\x0b"], &[]),
        (r"\x41\x{1F600}\101\0", &["A😀A\0"], &[]),
        (r"\12", &["\n"], &[]),
        (r"\<\>\&\#\ \_\-", &["<>&# _-"], &[]),
        (r"\A\z", &[""], &["x"]),
        (r"C:\\dir", &[r"C:\dir"], &[]),
    ]);
}

#[test]
fn braces_that_count_nothing_are_characters() {
    check(&[
        ("a{2}", &["aa"], &["a", "aaa"]),
        ("a{2,}", &["aa", "aaaa"], &["a"]),
        ("a{1,2}?", &["a", "aa"], &["aaa"]),
        ("a{,2}", &["a{,2}"], &["aa"]),
        ("a{x}", &["a{x}"], &[]),
        ("{}", &["{}"], &[]),
        ("a}", &["a}"], &[]),
        ("a]", &["a]"], &[]),
        (r"\/users\/\{id\}", &["/users/{id}"], &[]),
    ]);
}

#[test]
fn groups_are_those_of_go() {
    check(&[
        ("(a)(?:b)(?P<n>c)(?<m>d)(?P<n>e)", &["abcde"], &[]),
        ("(?i)a(?-i)b", &["Ab"], &["AB"]),
        ("(?i:a)b", &["Ab"], &["aB"]),
        ("(?U)a+?", &["aaa"], &[]),
        ("--port=808[12]", &["--port=8081"], &["--port=8083"]),
        ("# not a comment", &["# not a comment"], &[]),
        ("()|x", &["", "x"], &["y"]),
    ]);
}

#[test]
fn what_re2_does_not_know_is_refused() {
    for (source, reason) in [
        ("[", "a closing `]` is missing"),
        ("[a", "a closing `]` is missing"),
        ("[]", "a closing `]` is missing"),
        ("[^", "a closing `]` is missing"),
        ("[a-", "a closing `]` is missing"),
        ("[a\\", "nothing after the last backslash"),
        ("[a--]", "invalid character class range"),
        ("[b-a]", "invalid character class range"),
        ("[[:nope:]]", "is no class"),
        (r"[\b]", r"`\b` is no escape"),
        ("(a", "a closing `)` is missing"),
        ("a)(b", "a `)` too many"),
        ("a)", "a `)` too many"),
        ("*", "repetition operator missing expression"),
        ("a{2,1}", "invalid repetition count range"),
        ("a{1001}", "repeats 1000 times at most"),
        ("a{99999999999}", "repeats 1000 times at most"),
        (r"(a)\1", "RE2 has no back references"),
        ("(?=a)", "RE2 has no groups of this kind"),
        ("(?!a)", "RE2 has no groups of this kind"),
        ("(?<=a)", "RE2 has no look-around"),
        ("(?<!a)", "RE2 has no look-around"),
        ("(?x)a # comment", "RE2 has no groups of this kind"),
        ("(?u)a", "RE2 has no groups of this kind"),
        ("(?#comment)", "RE2 has no groups of this kind"),
        ("(?P<a", "needs a group's name"),
        (r"\", "nothing after the last backslash"),
        (r"\y", r"`\y` is no escape"),
        (r"\Z", r"`\Z` is no escape"),
        (r"\C", r"`\C` is no escape"),
        (r"\E", r"`\E` is no escape"),
        (r"\é", r"`\é` is no escape"),
        (r"\x4", r"`\x` needs two digits"),
        (r"\x{}", r"`\x` needs two digits"),
        (r"\x{110000}", r"`\x` needs two digits"),
        (r"\x+4", r"`\x` needs two digits"),
        (r"\p", r"`\p` needs a class"),
        (r"\p{}", r"`\p` needs a class"),
        (r"\p{Greek", r"`\p` needs a class"),
        (r"\p{Nope}", "Unicode property not found"),
        (r"(\pL{1000}){1000}", "too large once its repetitions are written out"),
    ] {
        let error = Pattern::new(source).expect_err(source).to_string();
        assert!(error.contains(reason), "{source}: {error}");
        assert!(!error.contains('\n'), "{source}: {error}");
    }
}

#[test]
fn patterns_are_known_by_their_source() {
    let pattern = Pattern::new("a.c").unwrap();
    assert_eq!(pattern, Pattern::new("a.c").unwrap());
    assert_ne!(pattern, Pattern::new("a[^\0]c").unwrap());
    assert_eq!(format!("{pattern:?}"), r#"Pattern("a.c")"#);
    assert_eq!(pattern.source(), "a.c");
}

#[test]
fn generous_counters_compile() {
    for source in [".{0,1000}", r"\w{1,1000}", "[^/]{0,500}", r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}"] {
        Pattern::new(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    }
}
