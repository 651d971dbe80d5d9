//! Compiles `proto/` without protoc: protox parses the files, tonic-prost-build writes the Rust code,
//! and the descriptor set is kept for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 3] = [
    "orgservice/v1/types.proto",
    "orgservice/v1/organization_service.proto",
    "orgservice/v1/admin_service.proto",
];

/// Kinds of `Value` that are much larger than the rest. Boxed, a `Value` takes 40 bytes instead of
/// some 200, and records are maps of Values. (Kinds that contain a `Value` directly are boxed anyway.)
const BOXED_KINDS: [&str; 8] = [
    "entity_reference",
    "entity",
    "entities",
    "principal_access",
    "query",
    "organization_request",
    "organization_response",
    "fault",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let set = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("orgservice_descriptor.bin"), set.encode_to_vec())?;
    let mut builder = tonic_prost_build::configure()
        // A stable order of attributes makes snapshots, hashes and request memory comparable.
        .btree_map(".")
        .bytes(".orgservice.v1.Value.bytes_value")
        .bytes(".orgservice.v1.UploadPluginAssemblyRequest.chunk");
    for kind in BOXED_KINDS {
        builder = builder.boxed(format!(".orgservice.v1.Value.kind.{kind}"));
    }
    builder.compile_fds(set)?;
    Ok(())
}
