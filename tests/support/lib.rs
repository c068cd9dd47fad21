//! What the test suites stand on.
