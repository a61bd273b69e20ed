"""What is a good plan? Standards, indicators, the Pyomo model, the Plan, the referee."""
