//! Where the programs under test are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A folder with the programs, instead of the one that this program was built into.
const FOLDER_VARIABLE: &str = "ROUNDTABLE_BIN_DIR";

/// A program of this workspace, as `cargo build` left it beside the tests and benches.
pub fn own(name: &str, package: &str) -> Result<PathBuf> {
    let folder = match env::var_os(FOLDER_VARIABLE) {
        Some(folder) => PathBuf::from(folder),
        None => target_folder()?,
    };
    let program = folder.join(name);
    if !program.is_file() {
        bail!("{} is missing. Build it first: cargo build -p {package} --bin {name}", program.display());
    }
    Ok(program)
}

/// Cargo puts test programs into `deps` below the folder that programs go to.
fn target_folder() -> Result<PathBuf> {
    let program = env::current_exe().context("the running program has no path")?;
    let folder = program.parent().context("the running program has no folder")?;
    let tests = folder.ends_with("deps");
    let folder = if tests { folder.parent().context("there is no target folder")? } else { folder };
    Ok(folder.to_owned())
}

/// A program of somebody else's: from the path, or from where `scripts/setup-test.sh` puts what no package has.
pub fn foreign(name: &str, hint: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(tools())
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .with_context(|| format!("{name} is missing. {hint}"))
}

fn tools() -> Option<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("roundtable/tools/bin"))
}
