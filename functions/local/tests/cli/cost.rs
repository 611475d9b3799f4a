use std::fs;

use crate::niente::Desk;

/// The command that follows `$ ` in a block of `docs/cost.md`, and what stands below it.
fn documented() -> Vec<(String, String)> {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cost.md")).unwrap();
    let blocks = document.split("```console\n$ ").skip(1);
    let told = blocks.map(|block| block.split("```").next().unwrap().split_once('\n').unwrap());
    told.map(|(command, out)| (command.to_owned(), out.to_owned())).collect()
}

#[test]
fn the_document_has_what_the_command_prints() {
    let commands = documented();
    for gb in ["10", "100", "1000"] {
        assert!(commands.iter().any(|(command, _)| *command == format!("niente cost --gb-per-day {gb}")), "{gb}");
    }
    for (command, out) in commands {
        let args: Vec<_> = command.split(' ').skip(1).collect();
        assert_eq!(Desk::new().out(&args), out, "docs/cost.md is not what `{command}` prints");
    }
}

#[test]
fn other_prices_change_the_bill() {
    let desk = Desk::new();
    let storage = |args: &[&str]| {
        let out = desk.out(&[&["cost", "--gb-per-day", "100", "--json"], args].concat());
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(json["alternatives"].as_array().unwrap().len(), 7);
        let lines = json["bill"]["lines"].as_array().unwrap().clone();
        let line = lines.into_iter().find(|line| line["what"] == "S3 storage").unwrap();
        line["dollars"].as_f64().unwrap()
    };
    let list = storage(&[]);
    let doubled = desk.file("prices.json", r#"{ "s3_storage_per_gb_month": 0.046 }"#);
    assert!((storage(&["--prices", &doubled]) / list - 2.0).abs() < 1e-9);
    assert!(storage(&["--retention", "90d"]) > 2.9 * list);
    assert!((storage(&["--bytes-per-span", "1000"]) * 2.0 / list - 1.0).abs() < 1e-9);
}

#[test]
fn prices_that_are_none_are_refused() {
    let desk = Desk::new();
    for (prices, told) in [
        (r#"{ "s3_puts": 1 }"#, "unknown field `s3_puts`, expected one of `s3_get_per_1000`"),
        (r#"{ "s3_put_per_1000": -1 }"#, "-1 is no amount of dollars"),
    ] {
        let file = desk.file("prices.json", prices);
        let ended = desk.run(&["cost", "--gb-per-day", "1", "--prices", &file]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.starts_with("niente: prices.json: ") && ended.err.contains(told), "{ended:?}");
    }
    let ended = desk.run(&["cost", "--gb-per-day", "1", "--prices", "nowhere.json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
}
