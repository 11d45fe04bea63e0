//! What the compiler says to likely mistakes. After a change of the messages, or of the compiler:
//! `TRYBUILD=overwrite cargo test -p narthex-macros --test it ui`, and read the difference.

#[test]
fn mistakes_are_told_where_they_are_made() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
