use crate::niente::{Desk, SINCE, request};

#[test]
fn attributes_and_their_values_are_lines() {
    let desk = Desk::new();
    for (service, trace) in [("shop", "ab"), ("bank", "cd")] {
        let file = desk.file("traces.jsonl", request(service, &trace.repeat(16)));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    let server = desk.start(&["serve", "--data", "data"]);
    for whom in [["--data", "data"], ["--url", &server.api]] {
        let tags = |more: &[&str]| desk.out(&[&["tags"], more, &SINCE[..], &whom[..]].concat());
        assert!(tags(&[]).lines().any(|line| line == "resource.service.name"), "{}", tags(&[]));
        assert_eq!(tags(&["resource.service.name"]), "bank\nshop\n");
        let filter = "{ resource.service.name = `shop` }";
        assert_eq!(tags(&["resource.service.name", "--filter", filter]), "shop\n");
        assert_eq!(tags(&["span.\"no such\""]), "");
        assert_eq!(tags(&["status"]), "error\nok\nunset\n");
        assert!(tags(&["--json"]).starts_with("{\"scopes\":["));
    }
}
