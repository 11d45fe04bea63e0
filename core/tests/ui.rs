//! What the compiler says to likely mistakes. After a change of the messages, or of the compiler:
//! `TRYBUILD=overwrite cargo test -p narthex-core --test ui`, and read the difference.

#[test]
fn the_compiler_says_what_is_wrong_in_the_words_of_this_framework() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
