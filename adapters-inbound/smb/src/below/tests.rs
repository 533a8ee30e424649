use super::*;

const SHARE: ShareId = ShareId(7);
const ABOVE: NodeId = NodeId(1);
const DIRECTORY: NodeId = NodeId(2);

#[test]
fn a_directory_has_opens_below_it_until_the_last_one_goes() {
    let opens = Arc::new(OpensBelow::default());
    let first = opens.add(SHARE, vec![ABOVE, DIRECTORY]);
    let second = opens.add(SHARE, vec![ABOVE]);
    assert!(opens.are_below(SHARE, ABOVE) && opens.are_below(SHARE, DIRECTORY));
    assert!(!opens.are_below(ShareId(8), ABOVE));
    drop(first);
    assert!(opens.are_below(SHARE, ABOVE) && !opens.are_below(SHARE, DIRECTORY));
    drop(second);
    assert!(opens.counts.lock().is_empty());
}
