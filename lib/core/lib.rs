//! Records, streams, site configuration and the command-line manners that every park command shares.
