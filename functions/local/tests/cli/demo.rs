use std::path::Path;

use crate::niente::Desk;

#[test]
fn what_the_guide_says_can_be_typed() {
    let desk = Desk::new();
    let mut demo = desk.start(&["demo"]);
    let guide = demo.out_until("Ctrl-C ends it.");

    let searches: Vec<_> = guide.lines().filter_map(|line| line.split_once("--data-urlencode 'q=")).collect();
    assert_eq!(searches.len(), 3, "{guide}");
    for (_, query) in searches {
        let found = desk.out(&["query", query.trim_end_matches('\''), "--url", &demo.api]);
        assert!(found.lines().count() > 1, "{query}");
    }
    let queries: Vec<_> = guide.lines().filter(|line| line.trim_start().starts_with("niente query '")).collect();
    assert_eq!(queries.len(), 3, "{guide}");
    for line in queries {
        let (query, rest) = line.split_once('\'').and_then(|(_, line)| line.split_once('\'')).unwrap();
        let args: Vec<_> = ["query", query].into_iter().chain(rest.split_whitespace()).collect();
        assert!(desk.out(&args).lines().count() > 1, "{line}");
    }
    for about in ["OTEL_EXPORTER_OTLP_ENDPOINT", "Grafana", "/api/v2/traces/", "niente ingest"] {
        assert!(guide.contains(about), "{about}");
    }
}

#[test]
#[cfg(unix)]
fn its_folder_is_temporary_unless_one_is_given() {
    let desk = Desk::new();
    let mut demo = desk.start(&["demo"]);
    let guide = demo.out_until("Ctrl-C ends it.");
    let folder = guide.strip_prefix("data: ").and_then(|rest| rest.split_once(" (")).unwrap().0;
    assert!(Path::new(folder).is_dir());
    demo.signal("INT");
    assert_eq!(demo.wait(), Some(0));
    assert!(!Path::new(folder).exists());

    let mut demo = desk.start(&["demo", "--data", "shop"]);
    demo.out_until("Ctrl-C ends it.");
    demo.signal("INT");
    assert_eq!(demo.wait(), Some(0));
    assert!(desk.out(&["inspect", "shop"]).contains("single-tenant"));
}
