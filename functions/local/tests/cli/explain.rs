use crate::niente::{Desk, SINCE, request};

#[test]
fn what_a_query_reads_and_costs_is_told_without_running_it() {
    let desk = Desk::new();
    for n in 1..=3 {
        let file = desk.file("traces.jsonl", request("shop", &format!("{n}{n}").repeat(16)));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    let explain = |more: &[&str]| desk.out(&[&["explain", "{ status=error }"], &SINCE[..], more].concat());
    let told = explain(&["--data", "data"]);
    for part in
        ["{ status = error }\n", "read: as ingest wrote them      3", "everything", "at least", "at most", "$0.000"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let server = desk.start(&["serve", "--data", "data", "--no-compaction"]);
    assert_eq!(explain(&["--url", &server.api]), told);

    desk.out(&["compact", "--all"]);
    let told = explain(&["--data", "data"]);
    assert!(
        told.contains("left out: compaction has replaced it") && told.contains("read: blocks of level 2"),
        "{told}"
    );

    let json: serde_json::Value = serde_json::from_str(&explain(&["--data", "data", "--json"])).unwrap();
    assert!(json["most"]["usd"].as_f64().unwrap() >= json["least"]["usd"].as_f64().unwrap());
    assert_eq!(json["waves"].as_array().unwrap().len(), 1);

    // Of several tenants: what each takes, and the sum.
    let file = desk.file("traces.jsonl", request("shop", &"44".repeat(16)));
    desk.out(&["ingest", &file, "--data", "data", "--tenant", "acme"]);
    let told = explain(&["--data", "data", "--tenant", "single-tenant|acme"]);
    assert!(told.contains("acme: everything") && told.contains("single-tenant: everything"), "{told}");
    let requests = |tenants| {
        let json: serde_json::Value =
            serde_json::from_str(&explain(&["--data", "data", "--json", "--tenant", tenants])).unwrap();
        json["most"]["requests"].as_u64().unwrap()
    };
    assert_eq!(requests("acme|single-tenant"), requests("acme") + requests("single-tenant"));
}
