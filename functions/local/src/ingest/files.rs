//! From the paths of the command line to files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Failure;

/// A file to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// The files, and those in the folders, sorted by path. What is hidden in a folder is left out.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files).map_err(|error| Failure::because(path.display(), &error))?;
    }
    if files.is_empty() {
        return Err(Failure::Failed("there are no files in these folders".to_owned()));
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<Found>) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        files.push(Found { path: path.to_owned(), bytes: metadata.len() });
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>();
    let mut entries = entries?;
    entries.retain(|entry| !entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    entries.sort();
    entries.iter().try_for_each(|entry| collect(entry, files))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_their_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in ["b/2.json", "b/1.json", "b/c/3.json", "a.pb", ".hidden", "b/.DS_Store"] {
            fs::write(at(name), name).unwrap();
        }
        let found = expand(&[at("b"), folder.path().to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.path.strip_prefix(folder.path()).unwrap()).collect();
        let expected = ["b/1.json", "b/2.json", "b/c/3.json", "a.pb", "b/1.json", "b/2.json", "b/c/3.json"];
        assert_eq!(names, expected.map(Path::new));
        assert_eq!(found[0].bytes, 8);
        assert!(expand(&[at("nowhere")]).is_err());
    }
}
