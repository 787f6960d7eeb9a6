-- How much of Gladly's quota was in use when a drain last looked, for the console.
ALTER TABLE drains ADD COLUMN quota jsonb;
