-- What is undelivered in a window of time.
select 1;
