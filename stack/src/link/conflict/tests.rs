use super::*;

const OURS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const THEIRS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const NEIGHBOR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const START: Instant = Instant::from_secs(100);

fn detector(policy: DefensePolicy) -> ConflictDetector {
    ConflictDetector::new(OURS, policy).unwrap()
}

/// A detector whose probes all go out as early as they may.
fn probing() -> ConflictDetector {
    let mut detector = detector(DefensePolicy::DefendOnce);
    detector.start(START, ADDRESS, StartMode::Probe, 0);
    detector
}

/// A detector whose address has been announced twice and is in use.
fn settled(policy: DefensePolicy) -> ConflictDetector {
    let mut detector = detector(policy);
    detector.start(START, ADDRESS, StartMode::Announce, 0);
    run_until_quiet(&mut detector, |_| {});
    detector
}

/// Sends everything at its deadline until there is none.
fn run_until_quiet(detector: &mut ConflictDetector, mut sent: impl FnMut((Instant, ArpPacket))) {
    while let Some(at) = detector.next_deadline() {
        if let Some(packet) = detector.poll_arp(at) {
            sent((at, packet));
        }
    }
}

fn probe_from(hardware: EthernetAddress, target: Ipv4Addr) -> ArpPacket {
    ArpPacket {
        operation: ArpOperation::Request,
        sender_hardware: hardware,
        sender_protocol: Ipv4Addr::UNSPECIFIED,
        target_hardware: EthernetAddress([0; 6]),
        target_protocol: target,
    }
}

fn announcement_from(hardware: EthernetAddress, address: Ipv4Addr) -> ArpPacket {
    ArpPacket {
        sender_protocol: address,
        ..probe_from(hardware, address)
    }
}

fn reply_from(hardware: EthernetAddress, address: Ipv4Addr) -> ArpPacket {
    ArpPacket {
        operation: ArpOperation::Reply,
        sender_hardware: hardware,
        sender_protocol: address,
        target_hardware: OURS,
        target_protocol: Ipv4Addr::UNSPECIFIED,
    }
}

fn after(millis: u64) -> Instant {
    START + Duration::from_millis(millis)
}

mod acquiring {
    use super::*;

    #[test]
    fn three_probes_then_two_announcements() {
        let mut detector = probing();
        let mut sent = heapless::Vec::<_, 8>::new();

        run_until_quiet(&mut detector, |it| sent.push(it).unwrap());

        let probe = probe_from(OURS, ADDRESS);
        let announcement = announcement_from(OURS, ADDRESS);
        assert_eq!(
            sent,
            [
                (after(0), probe),
                (after(1_000), probe),
                (after(2_000), probe),
                (after(4_000), announcement),
                (after(6_000), announcement),
            ]
        );
    }

    #[test]
    fn probes_are_spaced_at_random_within_the_bounds() {
        let mut detector = detector(DefensePolicy::DefendOnce);
        for rand in [0, 0x1234_5678, 0x9abc_def0, u32::MAX] {
            detector.start(START, ADDRESS, StartMode::Probe, rand);
            let mut times = heapless::Vec::<_, 8>::new();

            run_until_quiet(&mut detector, |(at, _)| times.push(at).unwrap());

            let [first, second, third, ..] = times[..] else {
                panic!("too few packets")
            };
            assert!(first.since(START) < PROBE_WAIT, "{rand:#x}");
            for gap in [second.since(first), third.since(second)] {
                assert!((PROBE_MIN..=PROBE_MAX).contains(&gap), "{rand:#x}");
            }
        }
    }

    #[test]
    fn different_random_numbers_give_different_times() {
        let first_probe = |rand| {
            let mut detector = detector(DefensePolicy::DefendOnce);
            detector.start(START, ADDRESS, StartMode::Probe, rand);
            detector.next_deadline()
        };

        assert_ne!(first_probe(1), first_probe(2));
    }

    #[test]
    fn the_address_is_usable_with_the_first_announcement() {
        let mut detector = probing();

        for millis in [0, 1_000, 2_000] {
            assert!(detector.poll_arp(after(millis)).is_some());
            assert!(!detector.is_usable());
        }
        assert_eq!(detector.poll_arp(after(3_999)), None);
        assert!(!detector.is_usable());
        assert!(detector.poll_arp(after(4_000)).is_some());
        assert!(detector.is_usable());
    }

    #[test]
    fn an_announced_address_is_usable_at_once() {
        let mut detector = detector(DefensePolicy::DefendOnce);

        detector.start(START, ADDRESS, StartMode::Announce, 0);

        assert!(detector.is_usable());
        let announcement = announcement_from(OURS, ADDRESS);
        assert_eq!(detector.poll_arp(START), Some(announcement));
        assert_eq!(detector.poll_arp(after(1_999)), None);
        assert_eq!(detector.poll_arp(after(2_000)), Some(announcement));
        assert_eq!(detector.next_deadline(), None);
    }

    #[test]
    fn a_user_of_the_address_is_a_conflict() {
        let packets = [
            announcement_from(THEIRS, ADDRESS),
            reply_from(THEIRS, ADDRESS),
            // Another host that probes for it at the same time.
            probe_from(THEIRS, ADDRESS),
        ];
        for packet in packets {
            let mut detector = probing();
            detector.poll_arp(START);

            let conflict = detector.on_arp(after(500), &packet);

            assert_eq!(conflict, Some(Conflict::GiveUp), "{packet:?}");
            assert!(!detector.is_usable());
            assert_eq!(detector.next_deadline(), None);
        }
    }

    #[test]
    fn the_wait_after_the_last_probe_still_hears_a_conflict() {
        let mut detector = probing();
        for millis in [0, 1_000, 2_000] {
            assert!(detector.poll_arp(after(millis)).is_some());
        }

        let conflict = detector.on_arp(after(3_999), &reply_from(THEIRS, ADDRESS));

        assert_eq!(conflict, Some(Conflict::GiveUp));
    }

    #[test]
    fn other_traffic_is_no_conflict() {
        let mut detector = probing();
        let asks_for_it = ArpPacket {
            sender_protocol: NEIGHBOR,
            ..probe_from(THEIRS, ADDRESS)
        };
        let packets = [
            asks_for_it,
            probe_from(THEIRS, NEIGHBOR),
            reply_from(THEIRS, NEIGHBOR),
            // Our own packets, echoed by the link.
            probe_from(OURS, ADDRESS),
            announcement_from(OURS, ADDRESS),
        ];

        for packet in packets {
            assert_eq!(detector.on_arp(START, &packet), None, "{packet:?}");
        }
    }

    #[test]
    fn after_ten_conflicts_one_address_per_minute_is_tried() {
        let mut detector = detector(DefensePolicy::DefendOnce);
        for _ in 0..MAX_CONFLICTS {
            detector.start(START, ADDRESS, StartMode::Probe, 0);
            assert_eq!(detector.next_deadline(), Some(START));
            detector.on_arp(START, &reply_from(THEIRS, ADDRESS));
        }

        detector.start(after(5_000), ADDRESS, StartMode::Probe, 0);
        assert_eq!(detector.next_deadline(), Some(after(60_000)));
        detector.on_arp(after(61_000), &reply_from(THEIRS, ADDRESS));
        detector.start(after(62_000), ADDRESS, StartMode::Probe, 0);
        assert_eq!(detector.next_deadline(), Some(after(120_000)));
    }

    #[test]
    fn an_acquired_address_ends_the_rate_limit() {
        let mut detector = detector(DefensePolicy::DefendOnce);
        for _ in 0..MAX_CONFLICTS {
            detector.start(START, ADDRESS, StartMode::Probe, 0);
            detector.on_arp(START, &reply_from(THEIRS, ADDRESS));
        }
        detector.start(START, NEIGHBOR, StartMode::Probe, 0);
        run_until_quiet(&mut detector, |_| {});
        assert!(detector.is_usable());

        detector.start(after(70_000), ADDRESS, StartMode::Probe, 0);

        assert_eq!(detector.next_deadline(), Some(after(70_000)));
    }
}

mod defending {
    use super::*;

    fn challenge(detector: &mut ConflictDetector, now: Instant) -> Option<Conflict> {
        detector.on_arp(now, &announcement_from(THEIRS, ADDRESS))
    }

    #[test]
    fn the_first_conflict_is_answered_by_one_announcement() {
        let mut detector = settled(DefensePolicy::DefendOnce);
        let now = after(60_000);

        assert_eq!(challenge(&mut detector, now), Some(Conflict::Defend));

        assert_eq!(detector.next_deadline(), Some(now));
        assert_eq!(
            detector.poll_arp(now),
            Some(announcement_from(OURS, ADDRESS))
        );
        assert_eq!(detector.poll_arp(now), None);
        assert!(detector.is_usable());
    }

    #[test]
    fn a_second_conflict_within_ten_seconds_loses_the_address() {
        let mut detector = settled(DefensePolicy::DefendOnce);
        challenge(&mut detector, after(60_000));

        let again = challenge(&mut detector, after(69_999));

        assert_eq!(again, Some(Conflict::GiveUp));
        assert!(!detector.is_usable());
        assert_eq!(detector.poll_arp(after(69_999)), None);
        assert_eq!(challenge(&mut detector, after(70_000)), None);
    }

    #[test]
    fn a_conflict_ten_seconds_later_is_a_first_one_again() {
        let mut detector = settled(DefensePolicy::DefendOnce);
        challenge(&mut detector, after(60_000));

        let later = challenge(&mut detector, after(70_000));

        assert_eq!(later, Some(Conflict::Defend));
        assert!(detector.is_usable());
    }

    #[test]
    fn a_well_known_address_is_kept_and_defended_every_ten_seconds() {
        let mut detector = settled(DefensePolicy::NeverGiveUp);
        let mut defended = 0;

        for second in 60..90 {
            let now = after(second * 1_000);
            let conflict = challenge(&mut detector, now);
            assert!(matches!(
                conflict,
                Some(Conflict::Defend | Conflict::Endure)
            ));
            defended += usize::from(detector.poll_arp(now).is_some());
        }

        assert_eq!(defended, 3);
        assert!(detector.is_usable());
    }

    #[test]
    fn a_conflict_between_the_announcements_is_defended_too() {
        let mut detector = detector(DefensePolicy::DefendOnce);
        detector.start(START, ADDRESS, StartMode::Announce, 0);
        detector.poll_arp(START);

        assert_eq!(challenge(&mut detector, after(100)), Some(Conflict::Defend));

        assert!(detector.poll_arp(after(100)).is_some());
        assert_eq!(detector.next_deadline(), Some(after(2_000)));
    }

    #[test]
    fn a_probe_for_the_address_is_left_to_the_arp_reply() {
        let mut detector = settled(DefensePolicy::DefendOnce);

        let conflict = detector.on_arp(after(60_000), &probe_from(THEIRS, ADDRESS));

        assert_eq!(conflict, None);
    }

    #[test]
    fn a_new_start_forgets_the_old_quarrel() {
        let mut detector = settled(DefensePolicy::DefendOnce);
        challenge(&mut detector, after(60_000));
        detector.start(after(61_000), ADDRESS, StartMode::Announce, 0);

        let conflict = challenge(&mut detector, after(62_000));

        assert_eq!(conflict, Some(Conflict::Defend));
    }
}
