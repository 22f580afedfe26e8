use park_core::Kind;
use rusqlite::Connection;

use crate::schema::{MIGRATIONS, migrate_to};
use crate::{Span, Store};

fn schema_of(connection: &Connection) -> Vec<String> {
    let mut statement =
        connection.prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_older_version_is_brought_up_to_date_with_its_records() {
    let newest = schema_of(&Store::in_memory().unwrap().connection);
    let folder = tempfile::tempdir().unwrap();
    for version in 0..MIGRATIONS.len() {
        let path = folder.path().join(format!("{version}.db"));
        let mut old = Connection::open(&path).unwrap();
        migrate_to(&mut old, "old", version).unwrap();
        if version >= 1 {
            old.execute("INSERT INTO records (id, time, type, body) VALUES ('A', 1, 'tick', '{}')", [])
                .unwrap();
        }
        if version >= 2 {
            old.execute("INSERT INTO sessions (id, plate, entered) VALUES ('S', 'B 1', 1)", []).unwrap();
        }
        if version >= 3 {
            old.execute("INSERT INTO snapshots VALUES ('N', 1, '[]')", []).unwrap();
        }
        if version >= 4 {
            old.execute("INSERT INTO marks VALUES (1, 1)", []).unwrap();
            old.execute("INSERT INTO statistics VALUES (0, 'records', 'tick', 1)", []).unwrap();
        }
        drop(old);
        let store = Store::open(&path).unwrap();
        assert_eq!(schema_of(&store.connection), newest, "from version {version}");
        assert_eq!(store.seq_of("A").unwrap(), (version >= 1).then_some(1));
        assert_eq!(store.summary(None).unwrap().inside, i64::from(version >= 2));
        assert_eq!(store.snapshot("N").unwrap(), (version >= 3).then(|| (1, "[]".to_owned())));
        assert_eq!(store.counts(Span::default()).unwrap().len(), usize::from(version >= 4));
    }
}

#[test]
fn what_is_no_park_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |path: &std::path::Path| Store::open(path).unwrap_err().kind();

    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database, just some text that is long enough to be looked at".repeat(20))
        .unwrap();
    assert_eq!(kind(&text), Kind::Config);

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(kind(&other), Kind::Config);

    let newer = folder.path().join("newer.db");
    drop(Store::open(&newer).unwrap());
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 999).unwrap();
    assert_eq!(kind(&newer), Kind::Config);

    assert_eq!(kind(&folder.path().join("no/such/folder.db")), Kind::Io);
}

#[test]
fn a_lock_that_stays_means_try_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("park.db");
    let mut store = Store::open(&path).unwrap();
    store.connection.busy_timeout(std::time::Duration::from_millis(1)).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.append(&[]).unwrap_err().kind(), Kind::TryAgain);
}
