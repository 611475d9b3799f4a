//! What happens in the shop: one function for each kind of trace.

use niente_receive::proto::trace::v1::span::{Link, SpanKind};

use super::{
    Trouble,
    attribute::{flag, float, int, list, text},
    calls::{
        Database::{Elasticsearch, MySql, Postgres},
        Endpoint,
    },
    service::{Library, Service},
    story::{Fault, Opening, Outcome, Story},
};

const PRODUCTS: [(&str, &str, f64); 10] = [
    ("OLJCESPC7Z", "National Park Foundation Explorascope", 101.96),
    ("66VCHSJNUP", "Starsense Explorer Refractor Telescope", 349.95),
    ("1YMWWN1N4O", "Eclipsmart Travel Refractor Telescope", 129.95),
    ("L9ECAV7KIM", "Lens Cleaning Kit", 21.95),
    ("2ZYFJ3GM2N", "Roof Binoculars", 209.95),
    ("0PUK6V6EV0", "Solar System Color Imager", 175.00),
    ("LS4PSXUNUM", "Red Flashlight", 57.08),
    ("9SIQT8TOJO", "Optical Tube Assembly", 3_599.00),
    ("6E92ZMYYFZ", "Solar Filter", 69.95),
    ("HQTGWGPNH4", "The Comet Book", 0.99),
];
const ORDERS: &str = "orders";

/// Somebody looks at a product.
pub(super) fn look_at_product(story: &mut Story, trouble: Trouble) -> Outcome {
    let (id, name, _) = story.one_of(&PRODUCTS);
    let endpoint = Endpoint { method: "GET", route: "/products/{id}" };
    story.visit(endpoint, &format!("/products/{id}"), |story| {
        story.both(|story| product(story, id, trouble), |story| recommendations(story, id, trouble))?;
        story.step("render product page", vec![text("app.product.id", id), text("app.product.name", name)], |story| {
            story.work(4.0);
            Ok(())
        })
    })
}

/// Somebody looks for a product.
pub(super) fn search(story: &mut Story, trouble: Trouble) -> Outcome {
    let words = story.one_of(&["telescope", "binoculars", "solar filter", "lens", "gift", "comet"]);
    let endpoint = Endpoint { method: "GET", route: "/search" };
    story.visit(endpoint, "/search", |story| {
        story.note(text("url.query", format!("q={}", words.replace(' ', "+"))));
        story.call(Service::Search, "shop.SearchService", "Search", |story| {
            if story.chance(8) {
                story.work(30.0);
                return Err(Fault::new(
                    "ElasticsearchException",
                    "all shards failed: search_phase_execution_exception",
                    503,
                    14,
                ));
            }
            let hits = story.dice.u32(0..10);
            story.note(int("app.search.hits", hits));
            let statement = format!("{{\"query\":{{\"match\":{{\"text\":\"{words}\"}}}}}}");
            story.query(Elasticsearch, "search", "products", &statement, 18.0, hits)
        })?;
        let (id, ..) = story.one_of(&PRODUCTS);
        product(story, id, trouble)
    })
}

/// Somebody puts a product into the cart.
pub(super) fn add_to_cart(story: &mut Story, trouble: Trouble) -> Outcome {
    let (id, ..) = story.one_of(&PRODUCTS);
    let user = user(story);
    let endpoint = Endpoint { method: "POST", route: "/api/cart" };
    story.visit(endpoint, "/api/cart", |story| {
        story.note(text("user.id", user.clone()));
        product(story, id, trouble)?;
        story.call(Service::Cart, "shop.CartService", "AddItem", |story| {
            story.note(text("app.product.id", id));
            story.note(int("app.cart.quantity", quantity(id)));
            if story.chance(6) {
                let message = "Timeout performing HSET (5000ms), next: HGET, inst: 0, qu: 12";
                story.work(900.0);
                return Err(Fault::new("StackExchange.Redis.RedisTimeoutException", message, 500, 13));
            }
            story.redis("HSET", &format!("cart:{user}"), int("db.response.returned_rows", 1));
            Ok(())
        })
    })
}

/// Somebody signs in, or tries to.
pub(super) fn sign_in(story: &mut Story) -> Outcome {
    let user = user(story);
    let endpoint = Endpoint { method: "POST", route: "/api/login" };
    story.visit(endpoint, "/api/login", |story| {
        story.call(Service::Users, "shop.UserService", "Authenticate", |story| {
            story.note(text("user.id", user.clone()));
            story.query(MySql, "SELECT", "users", "SELECT id, password_digest FROM users WHERE email = ?", 3.0, 1)?;
            story.step("verify password", vec![text("app.password.algorithm", "argon2id")], |story| {
                story.work(60.0);
                if story.chance(60) {
                    return Err(Fault::new("AuthenticationError", "the password is wrong", 401, 16));
                }
                Ok(())
            })
        })
    })
}

/// Somebody buys what is in the cart. Who packs the order works after the answer, in the same trace.
///
/// What refers to the order's message is left in `orders`.
pub(super) fn check_out(story: &mut Story, trouble: Trouble, orders: &mut Vec<Link>) -> Outcome {
    let user = user(story);
    let items = story.dice.usize(1..=4);
    let bought: Vec<_> = (0..items).map(|_| story.one_of(&PRODUCTS)).collect();
    let total: f64 = bought.iter().map(|(_, _, price)| price).sum();
    let endpoint = Endpoint { method: "POST", route: "/api/checkout" };
    story.visit(endpoint, "/api/checkout", |story| {
        story.note(text("user.id", user.clone()));
        story.call(Service::Checkout, "shop.CheckoutService", "PlaceOrder", |story| {
            let order = format!("ord_{:012x}", story.dice.u64(..) >> 16);
            let currency = story.one_of(&["EUR", "EUR", "EUR", "USD", "GBP", "CHF"]);
            story.note(text("app.order.id", order.clone()));
            story.note(text("app.order.currency", currency));
            story.note(float("app.order.total", (total * 100.0).round() / 100.0));
            story.note(int("app.order.items", items as i64));
            story.note(list("app.order.skus", bought.iter().map(|(id, ..)| (*id).to_owned())));
            story.call(Service::Cart, "shop.CartService", "GetCart", |story| {
                story.redis("HGETALL", &format!("cart:{user}"), int("db.response.returned_rows", items as i64));
                Ok(())
            })?;
            for (id, ..) in &bought {
                product(story, id, trouble)?;
            }
            story.both(|story| quote(story, items), |story| convert(story, currency))?;
            story.call(Service::Inventory, "shop.InventoryService", "Reserve", |story| reserve(story, &bought))?;
            charge(story, total, currency, trouble)?;
            story.query(
                Postgres,
                "INSERT",
                "orders",
                "INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)",
                4.0,
                1,
            )?;
            story.publish(ORDERS, |story, context| {
                orders.push(context.clone());
                story.later(250.0, |story| pack(story, context));
            });
            story.call(Service::Email, "shop.EmailService", "SendConfirmation", |story| confirm(story, &order))
        })
    })
}

/// The books are kept from batches of orders: a trace of its own, which refers to those that it is about.
pub(super) fn keep_books(story: &mut Story, orders: Vec<Link>) -> Outcome {
    let count = orders.len() as u32;
    story.consume(Service::Accounting, ORDERS, orders, |story| {
        story.step("post ledger entries", vec![int("app.ledger.entries", i64::from(count) * 2)], |story| {
            story.query(
                Postgres,
                "INSERT",
                "ledger",
                "INSERT INTO ledger SELECT * FROM unnest($1::entry[])",
                12.0,
                count,
            )
        })
    })
}

/// Every minute the stock is compared with the warehouse: nobody asked for it.
pub(super) fn count_stock(story: &mut Story) -> Outcome {
    let pod = story.pod_of(Service::Inventory);
    let opening = Opening {
        service: Service::Inventory,
        pod,
        library: Library::Own,
        kind: SpanKind::Internal,
        name: "cron: reconcile stock".to_owned(),
        attributes: vec![text("app.cron.schedule", "* * * * *")],
    };
    story.span(opening, |story| {
        story.query(Postgres, "SELECT", "stock", "SELECT sku, count FROM stock ORDER BY sku", 35.0, 10)?;
        let answered = story.call_out("api.warehouse.example", "/v2/levels", 180.0, Some(200));
        for (sku, name, _) in &PRODUCTS {
            story.step("reconcile", vec![text("app.product.id", *sku), text("app.product.name", *name)], |story| {
                story.work(1.5);
                Ok(())
            })?;
        }
        answered
    })
}

fn user(story: &mut Story) -> String {
    format!("usr_{:05}", story.dice.u32(1..4_000))
}

/// Nobody buys more than a pair, but for flashlights.
fn quantity(id: &str) -> i64 {
    if id.starts_with('L') { 2 } else { 1 }
}

fn product(story: &mut Story, id: &str, trouble: Trouble) -> Outcome {
    story.call(Service::Catalog, "shop.CatalogService", "GetProduct", |story| {
        story.note(text("app.product.id", id));
        if trouble != Trouble::SlowCatalog && story.cached(&format!("product:{id}"), 700) {
            return Ok(());
        }
        let milliseconds = if trouble == Trouble::SlowCatalog { 240.0 } else { 4.0 };
        story.query(Postgres, "SELECT", "products", "SELECT * FROM products WHERE id = $1", milliseconds, 1)
    })
}

fn recommendations(story: &mut Story, id: &str, trouble: Trouble) -> Outcome {
    story.call(Service::Recommendation, "shop.RecommendationService", "List", |story| {
        let model = story.one_of(&["v7", "v7", "v8-canary"]);
        story.event(
            "feature_flag.evaluation",
            vec![text("feature_flag.key", "recommendation-model"), text("feature_flag.result.variant", model)],
        );
        story
            .step("rank", vec![text("app.model", model), int("app.candidates", candidates(model))], |story| {
                story.work(if model == "v7" { 9.0 } else { 22.0 });
                if model != "v7" && story.chance(30) {
                    let message = format!("embedding of product '{id}' has 383 dimensions, expected 384");
                    return Err(Fault::new("ValueError", message, 500, 2));
                }
                Ok(())
            })
            .or_else(|_| {
                // The page is shown all the same, with the best-selling ones.
                story.note(flag("app.recommendation.fallback", true));
                Ok(())
            })?;
        let (other, ..) = story.one_of(&PRODUCTS);
        product(story, other, trouble)
    })
}

fn candidates(model: &str) -> i64 {
    if model == "v7" { 200 } else { 800 }
}

fn quote(story: &mut Story, items: usize) -> Outcome {
    story.call(Service::Shipping, "shop.ShippingService", "GetQuote", |story| {
        story.note(int("app.shipping.items", items as i64));
        story.work(6.0);
        story.call_out("rates.carrier.example", "/v1/quote", 45.0, Some(200))
    })
}

fn convert(story: &mut Story, currency: &str) -> Outcome {
    story.call(Service::Currency, "shop.CurrencyService", "Convert", |story| {
        story.note(text("app.currency.from", "USD"));
        story.note(text("app.currency.to", currency));
        story.work(0.4);
        Ok(())
    })
}

fn reserve(story: &mut Story, bought: &[(&str, &str, f64)]) -> Outcome {
    let statement = "UPDATE stock SET reserved = reserved + 1 WHERE sku = ANY($1) AND count > reserved";
    story.query(Postgres, "UPDATE", "stock", statement, 7.0, bought.len() as u32)?;
    if story.chance(12) {
        let (id, name, _) = bought[0];
        return Err(Fault::new("OutOfStock", format!("{name} ({id}) is sold out"), 409, 9));
    }
    Ok(())
}

fn charge(story: &mut Story, total: f64, currency: &str, trouble: Trouble) -> Outcome {
    let card = story.one_of(&["visa", "visa", "mastercard", "amex"]);
    story.call(Service::Payment, "shop.PaymentService", "Charge", |story| {
        story.note(float("app.payment.amount", (total * 100.0).round() / 100.0));
        story.note(text("app.payment.currency", currency));
        story.note(text("app.payment.card", card));
        story.step("assess risk", vec![float("app.payment.risk", f64::from(risk(card)))], |story| {
            story.work(5.0);
            Ok(())
        })?;
        if story.chance(25) {
            return Err(Fault::new(
                "PaymentDeclined",
                format!("the {card} card was declined: insufficient funds"),
                402,
                9,
            ));
        }
        let down = trouble == Trouble::PaymentsDown;
        for attempt in 1..=3 {
            let (milliseconds, status) = match (down, story.chance(600)) {
                (true, true) => (1_500.0, None),
                (true, false) => (700.0, Some(503)),
                (false, _) => (120.0, Some(200)),
            };
            let answered = story.call_out("api.cardgateway.example", "/v3/charges", milliseconds, status);
            match answered {
                Err(fault) if attempt == 3 => return Err(fault),
                Err(_) => {
                    story.event("retry", vec![int("app.retry.attempt", attempt)]);
                    story.work(80.0);
                }
                Ok(()) => break,
            }
        }
        story.query(Postgres, "INSERT", "payments", "INSERT INTO payments (id, amount) VALUES ($1, $2)", 4.0, 1)
    })
}

fn risk(card: &str) -> f32 {
    if card == "amex" { 0.42 } else { 0.07 }
}

fn confirm(story: &mut Story, order: &str) -> Outcome {
    story.step(
        "render template",
        vec![text("app.template", "order_confirmation.erb"), text("app.order.id", order)],
        |story| {
            story.work(8.0);
            Ok(())
        },
    )?;
    story.call_out("smtp.mailer.example", "/send", 35.0, Some(202))
}

fn pack(story: &mut Story, order: Link) -> Outcome {
    story.consume(Service::Fulfilment, ORDERS, vec![order], |story| {
        story.query(Postgres, "SELECT", "orders", "SELECT * FROM orders WHERE id = $1 FOR UPDATE", 5.0, 1)?;
        story.step("choose warehouse", vec![text("app.warehouse", "fra-2")], |story| {
            story.work(15.0);
            Ok(())
        })?;
        if story.chance(15) {
            let message = "label printer fra-2/7 is offline";
            return Err(Fault::new("com.shop.fulfilment.LabelException", message, 500, 14));
        }
        story.call(Service::Shipping, "shop.ShippingService", "CreateShipment", |story| {
            story.work(12.0);
            story.call_out("rates.carrier.example", "/v1/shipments", 220.0, Some(201))
        })
    })
}
