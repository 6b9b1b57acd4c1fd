//! A database is looked at from outside, and nothing of it changes.

use convene_kit::{
    Db,
    db::{Schema, inspect},
};
use convene_migrations::{lobby_manager::Migrator, scheduler};
use convene_scratch::Place;

use crate::world::NAME;

convene_scratch::contract!(
    what_is_not_there_is_not_made,
    a_schema_stands_to_the_program_as_it_does,
);

async fn what_is_not_there_is_not_made(place: Place) {
    for _ in 0..2 {
        let seen = inspect::<Migrator>(place.database(), NAME).await.unwrap();
        assert!(seen.schema.is_none(), "{seen:?}");
    }
    let files = std::fs::read_dir(place.folder()).unwrap();
    assert_eq!(files.count(), 0);
}

async fn a_schema_stands_to_the_program_as_it_does(place: Place) {
    // Beside a running service.
    let db = Db::open::<Migrator>(place.database(), NAME).await.unwrap();
    let seen = inspect::<Migrator>(place.database(), NAME).await.unwrap();
    assert_eq!(seen.schema, Some(Schema::default()));
    assert!(
        seen.version.chars().any(|c| c.is_ascii_digit()),
        "{}",
        seen.version
    );
    assert!(seen.took.as_secs() < 5);
    // Another program's eyes: it lacks what this one has not, and knows not what this one has.
    let other = inspect::<scheduler::Migrator>(place.database(), NAME).await;
    let other = other.unwrap().schema.unwrap();
    assert!(other.lacking > 0 && other.unknown > 0, "{other:?}");
    if let Some(server) = seen.server {
        assert!(seen.version.starts_with("PostgreSQL"));
        assert!(server.number("max_connections").unwrap() > 0);
        assert!(server.number("server_version_num").unwrap() >= 140_000);
        assert!(server.settings.contains_key("fsync"), "{server:?}");
        assert!(!server.read_only && server.may_create);
        assert!(server.clock_off_ms.abs() < 5_000, "{}", server.clock_off_ms);
    }
    drop(db);
}
