use convene_domain::RecordingId;
use futures_util::StreamExt as _;
use uuid::Uuid;

use super::*;

const SEGMENT: SegmentId = SegmentId {
    recording: RecordingId::from_uuid(Uuid::from_u128(2)),
    segment: 1,
};

fn tenant() -> TenantId {
    TenantId::from_uuid(Uuid::from_u128(1))
}

async fn open(dir: &std::path::Path, artefact_bytes_max: u64) -> Artefacts {
    let artefacts_dir = dir.join("artefacts");
    Artefacts::open(Config {
        artefacts_dir,
        artefact_bytes_max,
    })
    .await
    .unwrap()
}

fn chunks(bytes: &[u8], size: usize) -> impl Stream<Item = Result<Bytes>> + Unpin + use<> {
    let chunks: Vec<_> = bytes
        .chunks(size)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect();
    stream::iter(chunks)
}

async fn read(artefacts: &Artefacts, artefact: &Artefact) -> Result<Vec<u8>> {
    let bytes = artefacts.read(tenant(), SEGMENT, artefact.clone());
    bytes
        .try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
}

fn files(dir: &std::path::Path) -> Vec<String> {
    let folder = dir
        .join("artefacts")
        .join(tenant().to_string())
        .join(SEGMENT.recording.to_string());
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn bytes_come_back_as_they_went_with_their_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let artefacts = open(dir.path(), 1 << 30).await;
    // Over several parts and no multiple of any chunk.
    let bytes: Vec<u8> = (0..2_500_001_u32).map(|i| (i * 31 % 251) as u8).collect();
    let stored = artefacts
        .store(tenant(), SEGMENT, "video/mp4", chunks(&bytes, 10_007))
        .await
        .unwrap();
    assert_eq!(stored.content_type, "video/mp4");
    assert_eq!(stored.size_bytes, bytes.len() as u64);
    assert_eq!(stored.sha256, hex(&convene_kit::digest::sha256(&bytes)));
    artefacts
        .ensure_there(tenant(), SEGMENT, &stored)
        .await
        .unwrap();
    assert!(read(&artefacts, &stored).await.unwrap() == bytes);
    let sizes: Vec<_> = artefacts
        .read(tenant(), SEGMENT, stored)
        .map(|chunk| chunk.unwrap().len())
        .collect()
        .await;
    assert!(sizes.iter().all(|size| *size <= limits::CHUNK_BYTES));
}

#[tokio::test]
async fn a_repeat_replaces_and_leaves_nothing_beside() {
    let dir = tempfile::tempdir().unwrap();
    let artefacts = open(dir.path(), 1 << 20).await;
    let first = artefacts.store(tenant(), SEGMENT, "a/b", chunks(b"first", 2));
    first.await.unwrap();
    // What a process that was killed in the middle leaves.
    let folder = dir
        .path()
        .join("artefacts")
        .join(tenant().to_string())
        .join(SEGMENT.recording.to_string());
    std::fs::write(folder.join("1#1"), b"half").unwrap();
    std::fs::write(folder.join("11"), b"another segment").unwrap();
    let second = artefacts
        .store(tenant(), SEGMENT, "", chunks(b"second", 4))
        .await
        .unwrap();
    assert_eq!(second.content_type, UNKNOWN_CONTENT);
    assert_eq!(read(&artefacts, &second).await.unwrap(), b"second");
    assert_eq!(files(dir.path()), ["1", "11"]);
}

#[tokio::test]
async fn what_breaks_off_or_is_too_large_or_empty_is_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let artefacts = open(dir.path(), 10).await;
    let kept = artefacts
        .store(tenant(), SEGMENT, "a/b", chunks(b"kept", 4))
        .await
        .unwrap();

    let broken = chunks(b"new", 3).chain(stream::iter([Err(Error::timeout("broke off"))]));
    let error = artefacts.store(tenant(), SEGMENT, "a/b", broken).await;
    assert!(error.unwrap_err().is_transient());

    let large = chunks(b"eleven byte", 4);
    let error = artefacts.store(tenant(), SEGMENT, "a/b", large).await;
    let error = error.unwrap_err();
    assert_eq!(error.reason, "ARTEFACT_TOO_LARGE");
    assert!(!error.is_transient());

    let error = artefacts
        .store(tenant(), SEGMENT, "a/b", chunks(b"", 1))
        .await;
    assert_eq!(error.unwrap_err().reason, "ARTEFACT_EMPTY");

    assert_eq!(read(&artefacts, &kept).await.unwrap(), b"kept");
    assert_eq!(files(dir.path()), ["1"]);
}

#[tokio::test]
async fn a_lost_cut_or_changed_file_is_told_not_served() {
    let dir = tempfile::tempdir().unwrap();
    let artefacts = open(dir.path(), 100).await;
    let stored = artefacts
        .store(tenant(), SEGMENT, "a/b", chunks(b"whole", 5))
        .await
        .unwrap();
    let file = artefacts
        .files
        .path_to_filesystem(&path(tenant(), SEGMENT))
        .unwrap();
    let reason = async || {
        let there = artefacts.ensure_there(tenant(), SEGMENT, &stored).await;
        there.unwrap_err().reason
    };
    std::fs::write(&file, b"WHOLE").unwrap();
    let changed = read(&artefacts, &stored).await;
    assert_eq!(changed.unwrap_err().reason, "ARTEFACT_CORRUPT");
    std::fs::write(&file, b"who").unwrap();
    assert_eq!(reason().await, "ARTEFACT_MISSING");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(reason().await, "ARTEFACT_MISSING");
    let gone = read(&artefacts, &stored).await;
    assert_eq!(gone.unwrap_err().reason, "ARTEFACT_MISSING");
}
