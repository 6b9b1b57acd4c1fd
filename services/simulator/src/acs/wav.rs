//! The header of a WAV file.

/// What prompts must be.
const PCM: u16 = 1;
const CHANNELS: u16 = 1;
const RATE: u32 = 16_000;
const BITS: u16 = 16;
/// Bytes of a second.
const BYTES_S: i64 = 32_000;

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// How long it plays, when it is PCM with one channel of 16 bits at 16 kHz.
pub fn duration_ms(bytes: &[u8]) -> Option<i64> {
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let mut at = 12;
    let mut format = false;
    loop {
        let name = bytes.get(at..at + 4)?;
        let size = u32::from_le_bytes(number(bytes, at + 4)?);
        let body = at + 8;
        match name {
            b"fmt " => {
                let two = |at| Some(u16::from_le_bytes(number(bytes, at)?));
                format = two(body)? == PCM
                    && two(body + 2)? == CHANNELS
                    && u32::from_le_bytes(number(bytes, body + 4)?) == RATE
                    && two(body + 14)? == BITS;
            }
            b"data" => {
                return format.then_some(i64::from(size) * 1_000 / BYTES_S);
            }
            _ => {}
        }
        // Chunks begin at even places.
        let size = usize::try_from(size).ok()?;
        at = body.checked_add(size)?.checked_add(size % 2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rate: u32, seconds: u32) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVElist\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        bytes.extend(rate.to_le_bytes());
        bytes.extend((rate * 2).to_le_bytes());
        bytes.extend([2, 0, 16, 0]);
        bytes.extend(b"data");
        bytes.extend((rate * 2 * seconds).to_le_bytes());
        bytes
    }

    #[test]
    fn the_header_says_how_long_it_plays() {
        assert_eq!(duration_ms(&file(16_000, 3)), Some(3_000));
        assert_eq!(duration_ms(&file(8_000, 3)), None, "another rate");
        let whole = file(16_000, 3);
        for cut in 0..whole.len() {
            assert_eq!(duration_ms(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(duration_ms(b"<html>nothing of the kind</html>"), None);
    }
}
