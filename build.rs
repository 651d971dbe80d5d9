//! Compiles `proto/` without protoc: protox parses the files, tonic-prost-build writes the Rust code,
//! and the descriptor set is kept for reflection.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 3] = [
    "orgservice/v1/types.proto",
    "orgservice/v1/organization_service.proto",
    "orgservice/v1/admin_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let set = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("orgservice_descriptor.bin"), set.encode_to_vec())?;
    tonic_prost_build::configure()
        // A stable order of attributes makes snapshots, hashes and request memory comparable.
        .btree_map(".")
        .bytes(".orgservice.v1.Value.bytes_value")
        .compile_fds(set)?;
    Ok(())
}
