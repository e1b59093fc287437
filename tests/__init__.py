"""The tests are a package of their own: another distribution installs one of this name."""
