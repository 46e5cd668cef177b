"""What every operation of the API and every page asks for, written down by hand: a route that declares another right
than stands here is wrong, or this is. Whoever adds a route writes it here, under the right that it needs.

A path stands as the router names it, behind the methods that ask for the right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ANYBODY: Final = "anybody"
"""Whoever is logged in: what is one's own, and what asks for no right of its own."""

_NEEDED: Mapping[str, str] = {
    "see_clients": """
        GET /api/v1/attachments/{id}
        GET /api/v1/companies
        GET /api/v1/companies/{id}
        GET /api/v1/companies/{id}/history
        GET /api/v1/companies/{id}/links
        GET /api/v1/contacts
        GET /api/v1/contacts/{id}
        GET /api/v1/contacts/{id}/history
        GET /api/v1/contacts/{id}/links
        GET /api/v1/contacts/{id}/opt-out
        GET /api/v1/contacts/{id}/scheduled
        GET /api/v1/contacts/{id}/timeline
        GET /api/v1/entries/{id}
        GET /api/v1/entries/{id}/raw
        GET /api/v1/events
        GET /api/v1/lists
        GET /api/v1/lists/{name}/numbers
        POST /api/v1/segments/preview
        GET /api/v1/segments/{id}/clients
        GET /api/v1/suggestions
        GET /api/v1/tags
        GET /api/v1/workspace/contacts/{id}/entries
        GET /api/v1/workspace/search
        GET POST /api/v1/workspace/views
        POST /api/v1/workspace/views/order
        PATCH DELETE /api/v1/workspace/views/{id}
        GET /companies
        GET /companies/{id}
        GET /contacts
        POST /contacts/views
        POST /contacts/views/{id}
        GET /contacts/{id}
        GET /contacts/{id}/consent
        GET /contacts/{id}/entries/{entry_id}/mail
        GET /contacts/{id}/entries/{entry_id}/recording
        GET /deals/clients
        GET /deals/companies
        GET /search
    """,
    "keep_clients": """
        POST /api/v1/companies
        PATCH /api/v1/companies/{id}
        POST /api/v1/companies/{id}/links
        POST /api/v1/contacts
        PATCH /api/v1/contacts/{id}
        POST /api/v1/contacts/{id}/links
        POST /api/v1/contacts/{id}/merge
        POST /api/v1/contacts/{id}/messages
        POST DELETE /api/v1/contacts/{id}/opt-out
        POST /api/v1/contacts/{id}/unmerge
        POST /api/v1/entries/{id}/withdraw
        POST /api/v1/files
        POST /api/v1/suggestions/{id}/accept
        POST /api/v1/suggestions/{id}/dismiss
        GET POST /companies/new
        POST /companies/{id}
        GET POST /contacts/new
        POST /contacts/{id}/entries/{entry_id}/withdraw
        POST /contacts/{id}/files
        POST /contacts/{id}/merge
        POST /contacts/{id}/opt-in
        POST /contacts/{id}/opt-out
        POST /contacts/{id}/reply
        POST /contacts/{id}/set
        POST /contacts/{id}/suggestions/{suggestion_id}/accept
        POST /contacts/{id}/suggestions/{suggestion_id}/dismiss
        GET /contacts/{id}/templates
        POST /contacts/{id}/unmerge
        POST /contacts/{id}/ways
        POST /contacts/{id}/ways/remove
    """,
    "see_sales": """
        GET /api/v1/broadcasts
        GET /api/v1/broadcasts/{id}
        GET /api/v1/broadcasts/{id}/recipients
        GET /api/v1/chain-runs
        GET /api/v1/chains
        GET /api/v1/chains/{id}
        GET /api/v1/contacts/{id}/documents
        GET /api/v1/contacts/{id}/needs
        GET /api/v1/contacts/{id}/runs
        GET /api/v1/contacts/{id}/score
        GET /api/v1/deals
        GET /api/v1/deals/{id}
        GET /api/v1/deals/{id}/documents
        GET /api/v1/deals/{id}/history
        GET /api/v1/deals/{id}/items
        GET /api/v1/deals/{id}/links
        GET /api/v1/deals/{id}/payments
        GET /api/v1/deals/{id}/runs
        GET /api/v1/deals/{id}/stages
        GET /api/v1/document-templates
        GET /api/v1/document-templates/{id}
        GET /api/v1/document-templates/{id}/preview
        GET /api/v1/documents/{id}
        GET /api/v1/documents/{id}/file
        GET /api/v1/fields
        GET /api/v1/fields/{id}
        GET /api/v1/fields/{id}/check
        GET /api/v1/leads
        GET /api/v1/leads/{id}
        GET /api/v1/leads/{id}/history
        GET /api/v1/leads/{id}/links
        GET /api/v1/leads/{id}/runs
        GET /api/v1/payments
        GET /api/v1/payments/{id}
        GET /api/v1/pipelines
        GET /api/v1/pipelines/{id}
        GET /api/v1/pipelines/{id}/board
        GET /api/v1/products
        GET /api/v1/products/{id}
        GET /api/v1/products/{id}/history
        GET /api/v1/products/{id}/links
        GET /api/v1/record-types
        GET /api/v1/record-types/{id}
        GET /api/v1/records/{type}
        GET /api/v1/records/{type}/{id}
        GET /api/v1/rule-runs
        GET /api/v1/rules
        GET /api/v1/rules/{id}
        GET /api/v1/sales
        GET /api/v1/scores/today
        GET /api/v1/scorings
        GET /api/v1/scorings/{id}
        GET /api/v1/segments
        GET /api/v1/segments/{id}
        GET /api/v1/tag-groups
        GET /api/v1/tag-groups/{id}
        GET /api/v1/tasks
        GET /api/v1/tasks/{id}
        GET /api/v1/tasks/{id}/history
        GET /api/v1/tasks/{id}/links
        GET /api/v1/tasks/{id}/runs
        GET /api/v1/templates
        GET /api/v1/templates/{id}
        POST /api/v1/templates/{id}/preview
        GET /deals
        GET /deals/board/{pipeline_id}
        GET /deals/list
        POST /deals/views
        POST /deals/views/{id}
        GET /deals/{id}
        GET /deals/{id}/documents/{document_id}
        GET /dialling
        GET /dialling/{id}/cards/{card_id}
        GET /products
        GET /products/{id}
        GET /contacts/today
        GET /contacts/{id}/figures
        GET /runs
        GET /runs/chains
        GET /tasks
        GET /tasks/{id}
    """,
    "keep_sales": """
        POST /api/v1/chain-runs/{id}/stop
        POST /api/v1/contacts/{id}/documents
        POST /api/v1/deals
        PATCH /api/v1/deals/{id}
        POST /api/v1/deals/{id}/call-result
        POST /api/v1/deals/{id}/checklist/{item_id}
        POST /api/v1/deals/{id}/copy
        POST /api/v1/deals/{id}/documents
        PUT /api/v1/deals/{id}/instalments
        PUT /api/v1/deals/{id}/items
        POST /api/v1/deals/{id}/links
        POST /api/v1/deals/{id}/move
        POST /api/v1/deals/{id}/payments
        POST /api/v1/deals/{id}/transfer
        POST /api/v1/leads
        PATCH /api/v1/leads/{id}
        POST /api/v1/leads/{id}/convert
        POST /api/v1/leads/{id}/links
        POST /api/v1/leads/{id}/reject
        POST /api/v1/leads/{id}/take
        DELETE /api/v1/links/{id}
        PATCH /api/v1/payments/{id}
        POST /api/v1/products
        PATCH /api/v1/products/{id}
        POST /api/v1/products/{id}/links
        POST /api/v1/records/{type}
        PATCH /api/v1/records/{type}/{id}
        POST /api/v1/records/{type}/{id}/move
        POST /api/v1/tasks
        PATCH /api/v1/tasks/{id}
        POST /api/v1/tasks/{id}/cancel
        POST /api/v1/tasks/{id}/close
        POST /api/v1/tasks/{id}/links
        POST /api/v1/tasks/{id}/reopen
        POST /contacts/{id}/chains/{run_id}/stop
        POST /contacts/{id}/documents
        POST /contacts/{id}/leads/{lead_id}/convert
        POST /contacts/{id}/leads/{lead_id}/reject
        POST /contacts/{id}/leads/{lead_id}/take
        POST /contacts/{id}/tasks
        POST /contacts/{id}/tasks/{task_id}/close
        POST /control/deals/{id}/give
        POST /control/tasks/{id}/give
        POST /deals/bulk
        GET POST /deals/new
        POST /deals/{id}/documents
        POST /deals/{id}/edit
        GET /deals/{id}/group
        POST /deals/{id}/lines
        POST /deals/{id}/links
        POST /deals/{id}/links/{link_id}/remove
        POST /deals/{id}/move
        POST /deals/{id}/payments
        POST /deals/{id}/tasks
        POST /deals/{id}/tasks/{task_id}/close
        POST /deals/{id}/tick
        POST /deals/{id}/tunnel
        POST /dialling/{id}/cards/{card_id}
        POST /leads/{id}/give
        POST /leads/{id}/reject
        POST /leads/{id}/take
        GET POST /products/new
        POST /products/{id}
        POST /tasks/files
        POST /tasks/new
        POST /tasks/{id}/cancel
        POST /tasks/{id}/change
        POST /tasks/{id}/close
        POST /tasks/{id}/reopen
        POST /tasks/{id}/tick
    """,
    "keep_pipelines": """
        POST /api/v1/pipelines
        PATCH /api/v1/pipelines/{id}
        POST /api/v1/pipelines/{id}/stages
        PATCH DELETE /api/v1/pipelines/{id}/stages/{stage_id}
        GET POST /office/pipelines
        GET POST /office/pipelines/{id}
        POST /office/pipelines/{id}/archive
        POST /office/pipelines/{id}/order
        POST /office/pipelines/{id}/stages
        GET POST /office/pipelines/{id}/stages/{stage_id}
        POST /office/pipelines/{id}/stages/{stage_id}/remove
    """,
    "configure": """
        POST /api/v1/chains
        PATCH DELETE /api/v1/chains/{id}
        POST /api/v1/document-templates
        PATCH DELETE /api/v1/document-templates/{id}
        POST /api/v1/fields
        PATCH DELETE /api/v1/fields/{id}
        POST /api/v1/record-types
        PATCH DELETE /api/v1/record-types/{id}
        POST /api/v1/rules
        POST /api/v1/rules/try
        PATCH DELETE /api/v1/rules/{id}
        POST /api/v1/scorings
        PATCH DELETE /api/v1/scorings/{id}
        POST /api/v1/tag-groups
        PATCH DELETE /api/v1/tag-groups/{id}
        POST /api/v1/tags
        GET /api/v1/webhook-deliveries
        POST /api/v1/webhook-deliveries/replay
        GET /api/v1/webhook-deliveries/{id}
        POST /api/v1/webhook-deliveries/{id}/replay
        GET POST /api/v1/webhooks
        GET PATCH DELETE /api/v1/webhooks/{id}
        POST /api/v1/webhooks/{id}/secret
        GET /first-run
        GET /first-run/done
        GET POST /first-run/preset/{name}
        GET /office
        GET /office/chains
        GET POST /office/chains/new
        GET POST /office/chains/{id}
        POST /office/chains/{id}/away
        POST /office/chains/{id}/back
        POST /office/chains/{id}/up
        POST /office/check
        GET /office/configuration.toml
        GET /office/deliveries
        POST /office/deliveries/again
        GET /office/deliveries/{id}
        POST /office/deliveries/{id}/again
        GET /office/documents
        GET POST /office/documents/new
        GET POST /office/documents/{id}
        POST /office/documents/{id}/away
        POST /office/documents/{id}/back
        POST /office/documents/{id}/up
        GET /office/fields
        GET POST /office/fields/new
        GET POST /office/fields/{id}
        POST /office/fields/{id}/away
        POST /office/fields/{id}/back
        POST /office/fields/{id}/up
        GET /office/groups
        GET POST /office/groups/new
        GET POST /office/groups/{id}
        POST /office/groups/{id}/away
        POST /office/groups/{id}/back
        POST /office/groups/{id}/up
        GET /office/hours
        GET POST /office/hours/new
        GET POST /office/hours/{id}
        POST /office/hours/{id}/away
        POST /office/hours/{id}/back
        POST /office/hours/{id}/up
        GET /office/ladders
        GET POST /office/ladders/new
        GET POST /office/ladders/{id}
        POST /office/ladders/{id}/away
        POST /office/ladders/{id}/back
        POST /office/ladders/{id}/up
        GET /office/lines
        GET POST /office/lines/new
        GET POST /office/lines/{id}
        POST /office/lines/{id}/away
        POST /office/lines/{id}/back
        POST /office/lines/{id}/up
        GET /office/lists
        GET POST /office/lists/new
        GET POST /office/lists/{id}
        POST /office/lists/{id}/away
        POST /office/lists/{id}/back
        POST /office/lists/{id}/up
        GET /office/presets
        GET POST /office/presets/{name}
        GET /office/rules
        GET POST /office/rules/new
        GET POST /office/rules/{id}
        POST /office/rules/{id}/away
        POST /office/rules/{id}/back
        POST /office/rules/{id}/switch
        POST /office/rules/{id}/up
        GET /office/scorings
        GET POST /office/scorings/new
        GET POST /office/scorings/{id}
        POST /office/scorings/{id}/away
        POST /office/scorings/{id}/back
        POST /office/scorings/{id}/up
        GET /office/tags
        GET POST /office/tags/new
        GET POST /office/tags/{id}
        POST /office/tags/{id}/away
        POST /office/tags/{id}/back
        POST /office/tags/{id}/up
        GET /office/types
        GET POST /office/types/new
        GET POST /office/types/{id}
        POST /office/types/{id}/away
        POST /office/types/{id}/back
        POST /office/types/{id}/up
        GET /office/webhooks
        GET POST /office/webhooks/new
        GET POST /office/webhooks/{id}
        POST /office/webhooks/{id}/away
        POST /office/webhooks/{id}/back
        POST /office/webhooks/{id}/switch
        POST /office/webhooks/{id}/up
    """,
    "configure_channels": """
        GET POST /api/v1/accounts
        POST /api/v1/accounts/try
        GET PATCH DELETE /api/v1/accounts/{id}
        POST /api/v1/accounts/{id}/try
        GET /first-run/channel
        GET POST /first-run/channel/new/{kind}
        GET POST /first-run/channel/{id}
        POST /first-run/channel/{id}/remove
        GET /office/channels
        GET POST /office/channels/new/{kind}
        POST /office/channels/try
        GET POST /office/channels/{id}
        POST /office/channels/{id}/remove
        POST /office/channels/{id}/try
    """,
    "broadcast": """
        POST /api/v1/broadcasts
        PATCH /api/v1/broadcasts/{id}
        POST /api/v1/broadcasts/{id}/cancel
        POST /api/v1/broadcasts/{id}/pause
        POST /api/v1/broadcasts/{id}/reach
        POST /api/v1/broadcasts/{id}/resend
        POST /api/v1/broadcasts/{id}/resume
        POST /api/v1/broadcasts/{id}/sample
        POST /api/v1/broadcasts/{id}/start
        POST /api/v1/pipelines/{id}/fill
        POST /api/v1/segments
        PATCH DELETE /api/v1/segments/{id}
        POST /api/v1/templates
        PATCH DELETE /api/v1/templates/{id}
        GET /broadcasts
        GET POST /broadcasts/new
        GET /broadcasts/{id}
        POST /broadcasts/{id}/cancel
        GET POST /broadcasts/{id}/change
        POST /broadcasts/{id}/pause
        GET /broadcasts/{id}/reach
        POST /broadcasts/{id}/resend
        POST /broadcasts/{id}/resume
        POST /broadcasts/{id}/sample
        POST /broadcasts/{id}/start
        POST /dialling/{id}/fill
        GET /office/segments
        GET POST /office/segments/new
        GET POST /office/segments/{id}
        POST /office/segments/{id}/away
        POST /office/segments/{id}/back
        POST /office/segments/{id}/up
        GET /office/templates
        GET POST /office/templates/new
        GET POST /office/templates/{id}
        POST /office/templates/{id}/away
        POST /office/templates/{id}/back
        POST /office/templates/{id}/up
    """,
    "see_calls": """
        GET /api/v1/callbacks
        GET /api/v1/callbacks/{id}
        GET /api/v1/calls
        GET /api/v1/calls/{id}
        GET /api/v1/dials
        GET /api/v1/dials/{id}
        GET /api/v1/pbxs/{pbx}/sounds
        GET /api/v1/workspace/calls/{id}
        GET /calls
        GET /popups
    """,
    "see_cases": """
        GET /api/v1/cases
        GET /api/v1/cases/{id}
        GET /api/v1/workspace/counts
        GET /api/v1/workspace/inbox
    """,
    "settle_cases": """
        POST /api/v1/cases/{id}/close
        POST /api/v1/cases/{id}/give
        POST /api/v1/cases/{id}/promise
        POST /api/v1/cases/{id}/take
        POST /cases/{id}/close
        POST /cases/{id}/give
        POST /cases/{id}/promise
        POST /cases/{id}/take
    """,
    "see_staff": """
        GET /api/v1/presence
        GET /api/v1/roles
        GET /api/v1/roles/{id}
        GET /api/v1/users
        GET PATCH /api/v1/users/{login}
    """,
    "keep_staff": """
        POST /api/v1/roles
        PATCH DELETE /api/v1/roles/{id}
        POST /api/v1/users
        GET POST /office/new-person
        GET /office/people
        GET POST /office/people/{login}
        POST /office/people/{login}/active
        POST /office/people/{login}/factor
        POST /office/people/{login}/password
        POST /office/people/{login}/sessions
        POST /office/people/{login}/sessions/{id}/end
        GET POST /office/roles
    """,
    "keep_lists": """
        POST DELETE /api/v1/calls/{id}/list
        POST DELETE /api/v1/cases/{id}/list
        POST DELETE /api/v1/contacts/{id}/list
        POST /api/v1/lists/{name}/import
        POST DELETE /api/v1/lists/{name}/numbers
        POST /calls/{id}/list
        POST /cases/{id}/list
        POST /contacts/{id}/list
        POST /contacts/{id}/unlist
        GET /lists
        POST /lists/add
        GET POST /lists/bring
        POST /lists/remove
    """,
    "keep_sounds": """
        PUT DELETE /api/v1/pbxs/{pbx}/sounds/{name}
        GET /office/sounds
        POST /office/sounds/{pbx}
        GET /office/sounds/{pbx}/{name}
        POST /office/sounds/{pbx}/{name}/remove
    """,
    "place_calls": """
        POST /api/v1/callbacks
        POST /api/v1/callbacks/{id}/cancel
        POST /api/v1/calls
        POST /api/v1/pipelines/{id}/next-call
        POST /calls/call
        POST /dialling/{id}/next
    """,
    "see_alarms": """
        GET /api/v1/alarms
        POST /api/v1/leads/{id}/rejection/confirm
        POST /api/v1/leads/{id}/rejection/undo
        GET /api/v1/reconciliations
        POST /control/leads/{id}/confirm
        POST /control/leads/{id}/restore
        GET /office/health
        GET /office/reconciliation
    """,
    "see_reports": """
        GET /api/v1/reports
        GET /api/v1/reports/{name}
        GET /api/v1/workspace/control
        GET /api/v1/workspace/control/{view}
        GET /api/v1/workspace/wall
        GET /control
        GET /control/{view}
        GET /reports
        GET /reports/{name}
        GET /wall
    """,
    "hear_calls": """
        GET /api/v1/calls/{id}/recording
    """,
    "see_access": """
        GET /api/v1/access-log
        GET /api/v1/audit
        GET /office/audit
    """,
    "explain": """
        GET /api/v1/explain/route
        GET /calls/why
        GET /contacts/{id}/entries/{entry_id}/why
    """,
    "keep_journal": """
        GET /api/v1/journal
        GET /api/v1/journal/{id}
        POST /api/v1/journal/{id}/replay
        GET /journal
        POST /journal/replay
        GET /journal/{id}
        POST /journal/{id}/replay
    """,
    "run_scores": """
        POST /api/v1/scores/run
    """,
    "delete": """
        DELETE /api/v1/companies/{id}
        POST /api/v1/companies/{id}/restore
        DELETE /api/v1/contacts/{id}
        POST /api/v1/contacts/{id}/restore
        DELETE /api/v1/deals/{id}
        POST /api/v1/deals/{id}/restore
        DELETE /api/v1/leads/{id}
        POST /api/v1/leads/{id}/restore
        DELETE /api/v1/payments/{id}
        DELETE /api/v1/products/{id}
        DELETE /api/v1/records/{type}/{id}
        DELETE /api/v1/tasks/{id}
        POST /api/v1/tasks/{id}/restore
        POST /deals/{id}/delete
        POST /deals/{id}/payments/{payment_id}/remove
        POST /deals/{id}/restore
        POST /products/{id}/delete
    """,
    "exchange": """
        POST /api/v1/payments/bulk
        POST /api/v1/products/bulk
        POST /api/v1/sales
    """,
    "import": """
        GET POST /api/v1/import-mappings
        GET PATCH DELETE /api/v1/import-mappings/{id}
        POST GET /api/v1/imports
        GET /api/v1/imports/{id}
        POST /api/v1/imports/{id}/cancel
        GET /api/v1/imports/{id}/failed-lines
        GET /api/v1/imports/{id}/problems
        GET /api/v1/imports/{id}/report
        GET /office/imports
        POST /office/imports/begin
        POST /office/imports/columns
        POST /office/imports/upload
        GET /office/imports/{id}
        POST /office/imports/{id}/cancel
        GET /office/imports/{id}/failed-lines
        GET /office/imports/{id}/report
    """,
    "export": """
        GET /api/v1/exports/{kind}
        GET /control/{view}/export
        GET /deals/export
        GET /office/exports/{kind}
    """,
    "export_audience": """
        GET /api/v1/exports/audience
        GET /office/segments/{id}/audience
    """,
    "hand_over": """
        POST /api/v1/users/{login}/hand-over
        POST /office/people/{login}/hand-over
    """,
    "erase": """
        POST /api/v1/contacts/{id}/erase
        GET /api/v1/contacts/{id}/personal-data
        POST /contacts/{id}/erase
        GET /contacts/{id}/personal-data
    """,
    "keep_tokens": """
        GET POST /api/v1/tokens
        DELETE /api/v1/tokens/{id}
        POST /me/tokens
        POST /me/tokens/{id}/revoke
    """,
    ANYBODY: """
        GET /
        GET /live
        GET /live/here
        POST /live/whisper
        GET /me
        POST /me/factor/codes
        POST /me/factor/remove
        POST /me/leave
        POST /me/password
        POST /me/peace
        POST /me/sessions/{id}/end
        POST /me/tastes
        GET /unsent
        POST /unsent/{id}/drop
        POST /unsent/{id}/send
    """,
}

NEEDED: Mapping[tuple[str, str], str] = {
    (method, path): right
    for right, listed in _NEEDED.items()
    for *methods, path in map(str.split, listed.strip().splitlines())
    for method in methods
}
"""The right (its slug, or `ANYBODY`) by method and path."""

PUBLIC: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("GET", "/setup"): ("302 /", "302 /", "nobody can log in before there is the first administrator"),
    ("POST", "/setup"): ("303 /login", "303 /login", "the same"),
    ("GET", "/login"): ("200", "302 /", "whoever logs in is not logged in"),
    ("POST", "/login"): ("303 /login", "401", "the same; a name and a password are asked for instead"),
    ("GET", "/login/code"): ("302 /login", "302 /login", "whoever gave their password is asked for the second factor"),
    ("POST", "/login/code"): ("303 /login", "302 /login", "the same"),
    ("GET", "/login/oidc"): ("503", "302 /", "whoever logs in by the provider is not logged in"),
    ("GET", "/login/oidc/back"): ("400", "302 /", "the provider sends them back"),
    ("POST", "/logout"): ("303 /login", "303 /login", "a session may have ended before one leaves"),
    ("GET", "/me/factor"): ("302 /login?next=/me/factor", "200", "who must set up a second factor comes here alone"),
    ("POST", "/me/factor"): ("303 /login", "302 /me/factor", "the same"),
}
"""Pages that need no login: what they answer to nobody, what to somebody who is logged in and sends an empty form, and
why they are open."""

ELSE: Mapping[tuple[str, str], str] = {
    ("GET", "/healthz"): "a watcher asks whether the process lives: it says nothing else",
    ("GET", "/readyz"): "a load balancer asks whether it takes requests",
    ("GET", "/metrics"): "numbers for a scraper, of nobody by name",
    ("GET", "/api/v1/openapi.json"): "what the API is, the same for all hubs",
    ("GET", "/api/docs"): "the same to read",
    ("GET", "/api/docs/"): "the same to read",
    ("GET", "/api/docs/start.js"): "the same to read",
    ("GET", "/api/docs/{name}"): "the same to read",
    ("*", "/in/{channel}/{rest}"): "what providers tell of: each channel knows its own by their secrets",
    ("GET", "/u/{token}"): "a client leaves a mailing: the token of the letter is theirs alone",
    ("POST", "/u/{token}"): "the same",
    ("GET", "/static/{version}/{name}"): "looks and scripts, the same for all hubs",
}
"""Whatever else the server answers, and why nobody need be known for it."""
