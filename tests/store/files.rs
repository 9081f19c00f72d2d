//! Files as rows: one each, from before the first byte (P11.7).

use sessile::protocol::file::File;
use sessile::store::{FileWrite, Store, Write};

fn file(id: &str, bytes: u64) -> File {
    File {
        id: id.to_owned(),
        name: "report.pdf".to_owned(),
        media: "application/pdf".to_owned(),
        bytes,
        client: "ann".to_owned(),
        created_at: 19,
    }
}

/// Everything that is ever written of them.
pub(crate) fn golden_writes() -> Vec<Vec<Write>> {
    let begin = |id: &str, upload: Option<&str>| FileWrite::Begin {
        file: file(id, 100),
        upload: upload.map(str::to_owned),
    };
    let id = |id: &str| id.to_owned();
    vec![
        vec![begin("a1", Some("u1")).into()],
        vec![begin("a2", None).into()],
        vec![begin("a3", Some("u3")).into()],
        vec![
            FileWrite::End {
                id: id("a1"),
                bytes: 7,
            }
            .into(),
        ],
        vec![FileWrite::Forget { id: id("a3") }.into()],
    ]
}

pub(crate) fn check_golden(store: &Store) {
    let whole = Some((file("a1", 7), true));
    assert_eq!(store.file("a1"), Ok(whole.clone()));
    assert_eq!(store.uploaded("ann", "u1"), Ok(whole));
    assert_eq!(store.uploaded("bob", "u1"), Ok(None));
    assert_eq!(store.file("a2"), Ok(Some((file("a2", 100), false))));
    assert_eq!(store.file("a3"), Ok(None));
    assert_eq!(store.file_sums(), Ok((2, 107)));
    assert_eq!(store.arriving(), Ok(vec![("a2".to_owned(), 19)]));
    assert_eq!(store.oldest_files(1), Ok(vec![("a1".to_owned(), 19)]));
}
