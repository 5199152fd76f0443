//! Compiles every file below `/proto` with protox, so that no `protoc` need be installed.

use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "a build script is told its folder by the environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let descriptors = protox::compile(&files, [&root])?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), prost_bytes(&descriptors))?;
    // These hold a key or what keys are made with: their `Debug` is written by hand and masks (src/lib.rs).
    tonic_prost_build::configure()
        .bytes(".")
        .skip_debug([
            "keyward.store.v1.SecretField",
            "keyward.store.v1.MintedKey",
            "keyward.store.v1.PublishedPepper",
        ])
        .compile_fds(descriptors)?;
    Ok(())
}

fn prost_bytes(descriptors: &prost_types::FileDescriptorSet) -> Vec<u8> {
    use prost::Message as _;
    descriptors.encode_to_vec()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
