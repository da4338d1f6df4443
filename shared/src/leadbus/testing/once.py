"""Cases that do not depend on the protocol: a CRM's first class runs them, its others need not."""

ONCE: frozenset[str] = frozenset(
    {
        "test_a_missing_required_field_is_found_before_anything_is_written",
        "test_a_connection_takes_the_leads_of_its_own_supplier_alone",
        "test_a_connection_that_is_off_collects_and_delivers_when_it_is_turned_on",
        "test_a_parked_row_follows_when_the_settings_change",
        "test_a_parked_row_follows_when_it_is_sent_again",
        "test_access_can_be_saved_and_tested_alone_and_only_turning_on_needs_the_rest",
        "test_the_password_never_comes_back",
        "test_a_right_that_nothing_needs_yet_is_a_warning",
        "test_the_report_shows_a_tenants_own_rows_alone",
        "test_what_has_no_schedule_is_read_only_if_somebody_asks_for_it",
        "test_a_schedule_reads_what_has_changed",
        "test_the_crm_side_of_a_prospect_is_shown_as_it_stands",
        "test_marketing_events_of_a_day_become_one_note_if_so_wanted",
        "test_only_the_chosen_types_of_event_are_written",
        "test_an_opt_in_counts_only_if_it_is_later_and_said_by_the_person",
        "test_an_opt_out_in_one_crm_reaches_the_tenants_other_connection",
        "test_a_field_goes_the_way_that_its_mapping_says",
        "test_a_client_without_a_record_becomes_a_contact_and_a_prospect_a_lead",
        "test_a_contact_stays_one_and_whoever_wants_a_lead_is_told_so",
        "test_the_owner_is_the_user_of_equal_email_else_the_main_user",
        "test_an_account_of_an_inactive_user_waits_until_the_user_is_active",
        "test_a_contact_of_a_deleted_account_is_taken_in_without_it_and_reported",
        "test_a_crm_that_hangs_delays_no_other_connection",
        "test_a_first_reading_that_is_broken_off_goes_on_where_it_was",
    }
)
