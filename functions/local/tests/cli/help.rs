use crate::niente::Desk;

#[test]
fn every_command_teaches_itself() {
    let desk = Desk::new();
    for command in [
        "serve", "demo", "query", "explain", "tags", "ingest", "inspect", "compact", "gc", "redact", "config", "cost",
        "token",
    ] {
        assert!(desk.out(&["--help"]).contains(&format!("\n  {command} ")));
        let help = desk.out(&[command, "--help"]);
        assert!(help.contains(&format!("Usage: niente {command}")), "{help}");
        assert!(help.contains(&format!("Examples:\n  niente {command}")), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn options_come_from_the_environment_too() {
    let help = Desk::new().out(&["serve", "--help"]);
    for name in [
        "NIENTE_DATA",
        "NIENTE_STORE",
        "NIENTE_ENDPOINT",
        "NIENTE_HTTP",
        "NIENTE_OTLP_HTTP",
        "NIENTE_OTLP_GRPC",
        "NIENTE_REQUIRE_TENANT",
        "NIENTE_TOKENS",
    ] {
        assert!(help.contains(&format!("[env: {name}=]")), "{name}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let desk = Desk::new();
    for args in [
        &["frobnicate"][..],
        &["query"],
        &["query", "{}", "--since", "yesterday"],
        &["query", "{}", "--tenant", "a/b"],
        &["query", "{}", "--url", "https://127.0.0.1"],
        &["tags", "{}"],
        &["tags", "--filter", "{"],
        &["ingest"],
        &["serve", "--max-body", "much"],
        &["serve", "--exports", "0"],
        &["serve", "--log", "shop=loud"],
        &["serve", "--http", "no port"],
        &["serve", "--data", "x", "--store", "s3://bucket"],
        &["serve", "--data", "x", "--endpoint", "http://127.0.0.1:9000"],
        &["query", "{}", "--store", "gs://bucket"],
        &["query", "{}", "--store", "s3://No_Bucket"],
        &["query", "{}", "--store", "s3://bucket", "--url", "http://127.0.0.1:3200"],
        &["compact", "--store", "s3://bucket", "--endpoint", "127.0.0.1:9000"],
        &["inspect", "data", "--data", "data"],
        &["config", "--retention", "36h"],
        &["redact"],
        &["redact", "--trace", "xyz"],
        &["redact", "--trace", "1"],
        &["cost"],
        &["cost", "--gb-per-day", "-1"],
        &["cost", "--gb-per-day", "inf"],
        &["cost", "--gb-per-day", "1", "--bytes-per-span", "0"],
        &["cost", "--gb-per-day", "1", "--retention", "none"],
        &["cost", "--gb-per-day", "1", "--arch", "sparc"],
        &["token"],
        &["token", "new", "--tenant", "a", "--right", "query"],
        &["token", "new", "--name", "x", "--right", "query"],
        &["token", "new", "--name", "x", "--tenant", "a"],
        &["token", "new", "--name", "x", "--tenant", "a|b", "--right", "query"],
        &["token", "new", "--name", "x", "--tenant", "a", "--right", "write"],
        &["token", "new", "--name", "", "--tenant", "a", "--right", "query"],
        &["token", "new", "--name", "x", "--tenant", "a", "--right", "query", "--max-query-cost", "0"],
        &["serve", "--tokens", "tokens.json", "--let-everybody-in"],
        &["query", "{}", "--token", "a\nb"],
    ] {
        let ended = desk.run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(!ended.err.is_empty() && ended.out.is_empty(), "{args:?}: {ended:?}");
    }
}
