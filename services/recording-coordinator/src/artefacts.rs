//! Stored media: one file per segment, `<tenant>/<recording>/<segment>`, written beside and renamed, never half there.

use std::sync::Arc;

use bytes::Bytes;
use convene_domain::{TenantId, meeting::SegmentId, recording::Artefact};
use convene_kit::{Error, Result, digest::hex, limits};
use futures_util::{Stream, TryStreamExt as _, stream};
use object_store::{ObjectStoreExt as _, WriteMultipart, local::LocalFileSystem, path::Path};
use ring::digest::{Context, SHA256};

use crate::Config;

/// Bytes that are handed to the disk at once.
const PART_BYTES: usize = 1024 * 1024;
/// Parts on their way to the disk at the same time.
const PARTS_AT_ONCE: usize = 2;
/// MIME type when the provider names none that can be kept.
const UNKNOWN_CONTENT: &str = "application/octet-stream";

/// Where artefacts are kept.
#[derive(Clone, Debug)]
pub struct Artefacts {
    files: Arc<LocalFileSystem>,
    bytes_max: u64,
}

impl Artefacts {
    /// Opens the folder and makes it when it is not there.
    pub async fn open(config: Config) -> Result<Self> {
        let unusable = |detail: String| {
            Error::unavailable(
                "STORAGE_UNUSABLE",
                format!(
                    "artefacts cannot be kept in {}: {detail}; name another folder or mend its permissions",
                    config.artefacts_dir.display()
                ),
            )
        };
        let mut folder = tokio::fs::DirBuilder::new();
        folder.recursive(true);
        #[cfg(unix)]
        folder.mode(0o700);
        let made = folder.create(&config.artefacts_dir).await;
        made.map_err(|error| unusable(error.to_string()))?;
        let files = LocalFileSystem::new_with_prefix(&config.artefacts_dir)
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            files: Arc::new(files.with_fsync(true)),
            bytes_max: config.artefact_bytes_max,
        })
    }

    /// Stores a segment's bytes, in place of what an earlier try stored, and answers their length and SHA-256. What fails on the way leaves
    /// the file under the final name as it was.
    pub async fn store(
        &self,
        tenant: TenantId,
        id: SegmentId,
        content_type: &str,
        bytes: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<Artefact> {
        let path = path(tenant, id);
        self.sweep(&path).await?;
        let upload = self.files.put_multipart(&path).await.map_err(storage)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        match self.copy(&mut upload, bytes).await {
            Ok((size_bytes, sha256)) => {
                upload.finish().await.map_err(storage)?;
                Ok(Artefact {
                    content_type: content_kept(content_type),
                    size_bytes,
                    sha256,
                })
            }
            Err(error) => {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(detail = %error, "the rest of a failed fetch stayed beside");
                }
                Err(error)
            }
        }
    }

    async fn copy(
        &self,
        upload: &mut WriteMultipart,
        mut bytes: impl Stream<Item = Result<Bytes>> + Unpin,
    ) -> Result<(u64, String)> {
        let mut sum = Context::new(&SHA256);
        let mut size: u64 = 0;
        while let Some(chunk) = bytes.try_next().await? {
            size = size.saturating_add(chunk.len() as u64);
            if size > self.bytes_max {
                return Err(Error::refused(
                    "ARTEFACT_TOO_LARGE",
                    format!(
                        "the artefact has more than {} bytes; raise artefact_bytes_max to store it",
                        self.bytes_max
                    ),
                ));
            }
            sum.update(&chunk);
            upload.put(chunk);
            upload
                .wait_for_capacity(PARTS_AT_ONCE)
                .await
                .map_err(storage)?;
        }
        if size == 0 {
            return Err(Error::unavailable(
                "ARTEFACT_EMPTY",
                "the provider gave no bytes yet; it is asked again",
            ));
        }
        Ok((size, hex(sum.finish().as_ref())))
    }

    /// Removes what a killed process left beside the file: `<segment>#<n>`, as the store names what it has not renamed yet.
    async fn sweep(&self, path: &Path) -> Result<()> {
        let file = self.files.path_to_filesystem(path).map_err(storage)?;
        let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else {
            return Ok(());
        };
        let Ok(mut entries) = tokio::fs::read_dir(folder).await else {
            // Nothing was ever stored there.
            return Ok(());
        };
        let beside = format!("{}#", name.display());
        while let Some(entry) = entries.next_entry().await.map_err(disk)? {
            if entry.file_name().to_string_lossy().starts_with(&beside) {
                tokio::fs::remove_file(entry.path()).await.map_err(disk)?;
            }
        }
        Ok(())
    }

    /// `ARTEFACT_MISSING` unless the file is there with the length that was stored.
    pub async fn ensure_there(
        &self,
        tenant: TenantId,
        id: SegmentId,
        artefact: &Artefact,
    ) -> Result<()> {
        match self.files.head(&path(tenant, id)).await {
            Ok(found) if found.size == artefact.size_bytes => Ok(()),
            Ok(found) => Err(missing(format!("{} bytes are there", found.size))),
            Err(object_store::Error::NotFound { .. }) => Err(missing("no file")),
            Err(error) => Err(storage(error)),
        }
    }

    /// The stored bytes in chunks of 64 KiB. The last chunk is withheld with `ARTEFACT_CORRUPT` when the SHA-256 is not the stored one.
    pub fn read(
        &self,
        tenant: TenantId,
        id: SegmentId,
        artefact: Artefact,
    ) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        let (files, path) = (self.files.clone(), path(tenant, id));
        stream::try_unfold((0, Context::new(&SHA256)), move |(offset, mut sum)| {
            let (files, path, artefact) = (files.clone(), path.clone(), artefact.clone());
            async move {
                if offset == artefact.size_bytes {
                    return Ok(None);
                }
                let end = artefact.size_bytes.min(offset + limits::CHUNK_BYTES as u64);
                let chunk = files.get_range(&path, offset..end).await;
                let chunk = chunk.map_err(|error| match error {
                    object_store::Error::NotFound { .. } => missing("no file"),
                    error => storage(error),
                })?;
                sum.update(&chunk);
                if end == artefact.size_bytes
                    && hex(sum.clone().finish().as_ref()) != artefact.sha256
                {
                    return Err(Error::refused(
                        "ARTEFACT_CORRUPT",
                        "the stored bytes are not those that were fetched; restore the file from a backup",
                    ));
                }
                Ok(Some((chunk, (end, sum))))
            }
        })
    }
}

fn path(tenant: TenantId, id: SegmentId) -> Path {
    Path::from_iter([
        tenant.to_string(),
        id.recording.to_string(),
        id.segment.to_string(),
    ])
}

/// The provider's MIME type when it is a short printable text.
fn content_kept(content_type: &str) -> String {
    convene_kit::convert::text("contentType", content_type)
        .unwrap_or_else(|_| UNKNOWN_CONTENT.to_owned())
}

fn storage(error: object_store::Error) -> Error {
    unavailable(error.to_string())
}

fn disk(error: std::io::Error) -> Error {
    unavailable(error.to_string())
}

fn unavailable(detail: String) -> Error {
    Error::unavailable(
        "STORAGE_UNAVAILABLE",
        "the artefact store does not take or give bytes; free space or mend the disk, then it goes on",
    )
    .with_detail(detail)
}

fn missing(detail: impl Into<String>) -> Error {
    Error::refused(
        "ARTEFACT_MISSING",
        "the stored file is not there any more, or not whole; restore it from a backup",
    )
    .with_detail(detail)
}

#[cfg(test)]
mod tests;
