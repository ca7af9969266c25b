//! How entries lie in the files of the log: length, CRC-32 and payload, little endian, so that a
//! torn end is seen.

/// Bytes before the payload.
pub(super) const HEADER: usize = 8;
/// No payload is longer: what a damaged header says beyond it is not believed.
pub(super) const MOST: usize = 64 * 1024 * 1024;

/// Appends an entry.
pub(super) fn append(payload: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(payload).to_le_bytes());
    out.extend_from_slice(payload);
}

/// The length of the entry at the beginning of `bytes`, its header included; none where no entry
/// can be.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
    (length > 0 && length <= MOST).then_some(length + HEADER)
}

/// The payload of the entry that `bytes` begins with, if it is whole.
pub(super) fn payload(bytes: &[u8]) -> Option<&[u8]> {
    let payload = bytes.get(HEADER..length(bytes)?)?;
    let sum = u32::from_le_bytes(*bytes.get(4..)?.first_chunk()?);
    (crc32fast::hash(payload) == sum).then_some(payload)
}
