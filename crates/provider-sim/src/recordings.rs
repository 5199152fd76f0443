//! The recorded answers of real providers, by name. Origins and licences are in `recordings/SOURCES.md`.

/// Every recording: its path below `recordings/`, and its bytes exactly as recorded.
static ALL: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/recordings.rs"));

/// The recording of that name: its path (`gemini/stream_web_fetch_2.5_flash.sse`), or its file name without folder and
/// extension.
pub fn recording(name: &str) -> Option<&'static [u8]> {
    let named = |path: &str| path == name || stem(path) == name;
    ALL.iter().find(|(path, _)| named(path)).map(|(_, bytes)| *bytes)
}

/// Every recording's path and bytes, in the order of their paths.
pub fn recordings() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ALL.iter().copied()
}

fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    [".json", ".sse", ".txt", ".bin"]
        .iter()
        .find_map(|extension| file.strip_suffix(extension))
        .unwrap_or(file)
}
