//! Embedded files are part of the program: a file that is new, changed or gone means a new build.

fn main() {
    println!("cargo::rerun-if-changed=../assets/web");
    println!("cargo::rerun-if-changed=assets/socket.io");
}
