use crate::niente::{Desk, SINCE, age, request};

const QUERIES: [&str; 3] =
    ["{}", r#"{ name = "GET /" } > { status = error }"#, r#"{ resource.service.name = "shop3" }"#];

fn desk(traces: usize) -> Desk {
    let desk = Desk::new();
    for n in 1..=traces {
        let file = desk.file("traces.jsonl", request(&format!("shop{n}"), &format!("{n}{n}").repeat(16)));
        desk.out(&["ingest", &file, "--data", "data"]);
    }
    desk
}

fn answers(desk: &Desk) -> Vec<String> {
    QUERIES.map(|query| desk.out(&[&["query", query, "--data", "data"][..], &SINCE].concat())).to_vec()
}

#[test]
fn many_objects_become_one_and_answers_stay() {
    let desk = desk(5);
    let before = answers(&desk);
    assert_eq!(before[0].lines().count(), 6, "{before:?}");

    let said = desk.out(&["compact", "--data", "data", "--all"]);
    assert!(said.contains("single-tenant, 2023-11-14, hour 22: merged 5 objects, "), "{said}");
    assert!(said.contains("10 spans → 1 block, "), "{said}");
    assert!(said.contains("\nobjects       5 → 1\n"), "{said}");
    assert_eq!(answers(&desk), before);

    let told = desk.out(&["inspect"]);
    let row: Vec<_> = told.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(row[..6], ["2023-11-14", "-", "-", "1", "0+1+0", "10"], "{told}");
    assert_eq!(row.last(), Some(&"-"), "{told}");
    assert_eq!(desk.out(&["compact", "--all"]), "nothing is due\n");
    assert_eq!(answers(&desk), before);
}

#[test]
fn only_what_is_due_is_merged() {
    let desk = desk(2);
    assert_eq!(desk.out(&["compact", "--data", "data"]), "nothing is due\n");
    age(&desk.path("data"));
    let next = desk.out(&["inspect"]);
    assert!(next.contains("merge 2 objects of hour 22"), "{next}");
    let said = desk.out(&["compact", "--data", "data"]);
    assert!(said.contains("merged 2 objects"), "{said}");
}

#[test]
fn a_tenant_or_folder_that_is_not_there_is_told() {
    let desk = desk(1);
    for command in ["compact", "gc", "inspect"] {
        let ended = desk.run(&[command, "--data", "nowhere"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("there is no folder nowhere"), "{ended:?}");
        assert!(!desk.path("nowhere").exists());

        let ended = desk.run(&[command, "--data", "data", "--tenant", "acme"]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("no tenant acme in data: there is single-tenant"), "{ended:?}");
    }
}
