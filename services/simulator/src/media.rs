//! Synthesised recordings: real MP4 files with one track of PCM sound, the same bytes at every fetch.
//!
//! They say what happened: as many tones as people were in the meeting, at a pitch of the recording's own, silence when it was empty, as long as
//! the span (ISO 14496-12 boxes; the sample entry `sowt` is little-endian PCM of the QuickTime file format).

use ring::digest::{SHA256, digest};

/// Samples a second; a sample has two bytes.
const RATE: u32 = 8_000;
/// Longest sound, in milliseconds: a moved clock makes spans of days.
const LENGTH_MS_MAX: i64 = 30_000;
/// Shortest sound, in milliseconds.
const LENGTH_MS_MIN: i64 = 100;
/// Lowest pitch of the lowest voice, in hertz; each further voice is that much higher.
const TONE_HZ: u32 = 180;
/// How many pitches there are above the lowest, one hertz apart.
const PITCHES: u32 = 220;
/// Voices that are heard.
const VOICES_MAX: usize = 5;
/// Height of one voice; all together stay within 16 bits.
const AMPLITUDE: i32 = 4_000;

/// The file of a recording of `length_ms` (at least a tenth of a second, at most 30 s) with `voices` tones.
pub fn mp4(recording: &str, length_ms: i64, voices: usize) -> Vec<u8> {
    let millis = length_ms.clamp(LENGTH_MS_MIN, LENGTH_MS_MAX);
    let samples = u32::try_from(millis).unwrap_or(0) * (RATE / 1_000);
    let file_type = boxed(b"ftyp", &[b"mp42", &0u32.to_be_bytes(), b"mp42qt  "]);
    let sound = sound(samples, pitch(recording), voices.min(VOICES_MAX));
    // The sound lies behind the boxes: its place depends on their length, which does not depend on its place.
    let before = file_type.len() + movie(samples, 0).len() + 8;
    let mut file = file_type;
    file.extend(movie(samples, u32::try_from(before).unwrap_or(0)));
    file.extend(boxed(b"mdat", &[&sound]));
    file
}

/// In hertz, by the id alone.
fn pitch(recording: &str) -> u32 {
    let hash = digest(&SHA256, recording.as_bytes());
    let number = hash.as_ref().iter().take(4);
    let number = number.fold(0u32, |number, byte| (number << 8) | u32::from(*byte));
    TONE_HZ + number % PITCHES
}

/// Triangle waves, in whole numbers: the same bytes on every machine.
fn sound(samples: u32, pitch: u32, voices: usize) -> Vec<u8> {
    let steps: Vec<u32> = (1u32..).take(voices).map(|voice| pitch * voice).collect();
    let mut bytes = Vec::with_capacity(samples as usize * 2);
    for sample in 0..samples {
        let level: i32 = steps
            .iter()
            .map(|hertz| triangle(sample * hertz % RATE))
            .sum();
        let level = i16::try_from(level).unwrap_or(i16::MAX);
        bytes.extend(level.to_le_bytes());
    }
    bytes
}

/// The wave at a phase from 0 to `RATE`: up from zero, down to the lowest, back to zero.
fn triangle(phase: u32) -> i32 {
    let (phase, quarter) = (phase as i32, RATE as i32 / 4);
    let height = match phase / quarter {
        0 => phase,
        1 | 2 => 2 * quarter - phase,
        _ => phase - 4 * quarter,
    };
    height * AMPLITUDE / quarter
}

fn movie(samples: u32, sound_at: u32) -> Vec<u8> {
    let matrix: Vec<u8> = [0x1_0000u32, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    let n = u32::to_be_bytes;
    let header = boxed(
        b"mvhd",
        &[
            &n(0),
            &n(0),
            &n(0),
            &n(RATE),
            &n(samples),
            &n(0x1_0000),
            &[1, 0],
            &[0; 10],
            &matrix,
            &[0; 24],
            &n(2),
        ],
    );
    let track_header = boxed(
        b"tkhd",
        &[
            &n(7),
            &n(0),
            &n(0),
            &n(1),
            &n(0),
            &n(samples),
            &[0; 8],
            &[0; 4],
            &[1, 0],
            &[0; 2],
            &matrix,
            &[0; 8],
        ],
    );
    let media_header = boxed(
        b"mdhd",
        &[
            &n(0),
            &n(0),
            &n(0),
            &n(RATE),
            &n(samples),
            &[0x55, 0xc4],
            &[0; 2],
        ],
    );
    let handler = boxed(b"hdlr", &[&n(0), &n(0), b"soun", &[0; 12], b"sound\0"]);
    let sound_header = boxed(b"smhd", &[&n(0), &[0; 4]]);
    let url = boxed(b"url ", &[&n(1)]);
    let references = boxed(b"dref", &[&n(0), &n(1), &url]);
    let data = boxed(b"dinf", &[&references]);
    let entry = boxed(
        b"sowt",
        &[
            &[0; 6],
            &[0, 1],
            &[0; 8],
            &[0, 1],
            &[0, 16],
            &[0; 4],
            &n(RATE << 16),
        ],
    );
    let table = boxed(
        b"stbl",
        &[
            &boxed(b"stsd", &[&n(0), &n(1), &entry]),
            &boxed(b"stts", &[&n(0), &n(1), &n(samples), &n(1)]),
            &boxed(b"stsc", &[&n(0), &n(1), &n(1), &n(samples), &n(1)]),
            &boxed(b"stsz", &[&n(0), &n(2), &n(samples)]),
            &boxed(b"stco", &[&n(0), &n(1), &n(sound_at)]),
        ],
    );
    let information = boxed(b"minf", &[&sound_header, &data, &table]);
    let media = boxed(b"mdia", &[&media_header, &handler, &information]);
    let track = boxed(b"trak", &[&track_header, &media]);
    boxed(b"moov", &[&header, &track])
}

/// Length, name, content.
fn boxed(name: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(name);
    for part in parts {
        bytes.extend(*part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(name, content)` of the boxes in `bytes`.
    fn boxes(mut bytes: &[u8]) -> Vec<(String, &[u8])> {
        let mut found = Vec::new();
        while bytes.len() >= 8 {
            let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
            found.push((
                String::from_utf8(bytes[4..8].to_vec()).unwrap(),
                &bytes[8..length],
            ));
            bytes = &bytes[length..];
        }
        assert!(bytes.is_empty(), "boxes fill the file");
        found
    }

    #[test]
    fn the_sound_lies_where_the_file_says() {
        let file = mp4("a", 1_000, 2);
        let names: Vec<_> = boxes(&file).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ftyp", "moov", "mdat"]);
        let sound = boxes(&file)[2].1;
        assert_eq!(sound.len(), 16_000, "a second of 16-bit samples");
        let at = file.len() - sound.len();
        let chunk_offset = file.windows(4).position(|w| w == b"stco").unwrap() + 12;
        let stated = u32::from_be_bytes(file[chunk_offset..chunk_offset + 4].try_into().unwrap());
        assert_eq!(stated as usize, at);
        assert_eq!(file, mp4("a", 1_000, 2), "the same bytes at every fetch");
        assert_ne!(
            sound,
            boxes(&mp4("a", 1_000, 0))[2].1,
            "an empty room is silent"
        );
        assert_ne!(file, mp4("b", 1_000, 2), "each has its own pitch");
        assert!(mp4("a", i64::MAX, 1).len() < 600_000, "bounded");
    }
}
