collect_ignore = ["fulfilment", "shop"]  # repositories of their own: test_service_repositories.py runs pytest in them
